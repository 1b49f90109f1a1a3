package main

import (
	"regexp"
	"strings"
)

var (
	releases = regexp.MustCompile(`^(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.(post\d+))?(?:\.(dev\d+))?$`)
	stages   = map[string]string{"a": "-alpha.", "b": "-beta.", "rc": "-rc."}
)

// pluginVersion turns the version of a Python package into that of its plugin: 1.2a4.post1 into 1.2.0-alpha.4+post1.
// It is empty for what has no counterpart.
func pluginVersion(version string) string {
	parts := releases.FindStringSubmatch(version)
	if parts == nil {
		return ""
	}
	numbers := strings.Split(parts[1], ".")
	for len(numbers) < 3 {
		numbers = append(numbers, "0")
	}
	written := strings.Join(numbers, ".")
	if parts[2] != "" {
		written += stages[parts[2]] + parts[3]
	}
	if build := parts[4] + parts[5]; build != "" {
		written += "+" + build
	}
	return written
}
