package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"

	"github.com/google/uuid"
)

// client speaks to the Platform API with the headers of the released provider: Basic, not Bearer.
// Simplified: a 429 is an error like any other, where the released one tries again after 30 s and more.
type client struct {
	url, email, apiKey string
	headers            map[string]string
}

// refusal is an answer that is not a success; `id` is Heroku's word for it.
type refusal struct {
	status  int
	id      string
	message string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s (status %d, id %q)", r.message, r.status, r.id)
}

func isNotFound(err error) bool {
	var refused *refusal
	return errors.As(err, &refused) && refused.id == "not_found"
}

// call sends a request and decodes the answer; a body of nil is no body.
func (c *client) call(method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequest(method, c.url+path, content)
	if err != nil {
		return err
	}
	c.dress(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	return decode(response, answer)
}

func (c *client) dress(request *http.Request) {
	request.Header.Set("Accept", "application/vnd.heroku+json; version=3")
	request.Header.Set("User-Agent", "heroku/v5 ("+runtime.GOOS+"; "+runtime.GOARCH+") stand-in")
	request.Header.Set("Request-Id", uuid.NewString())
	if c.email != "" || c.apiKey != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(c.email + ":" + c.apiKey))
		request.Header.Set("Authorization", "Basic "+basic)
	}
	if request.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
}

func decode(response *http.Response, answer any) error {
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		said := struct{ ID, Message string }{Message: "encountered an error without a message"}
		_ = json.Unmarshal(content, &said) // an error that is no JSON is an error all the same
		return &refusal{response.StatusCode, said.ID, said.Message}
	}
	return json.Unmarshal(content, answer)
}
