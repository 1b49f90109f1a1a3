#!/usr/bin/env bash
# The follower changeover as a careful operator scripts it with Heroku's own CLI: the commands of Heroku's runbook in
# their order, every process type scaled down and back, and a wait wherever the CLI itself does not wait.
#
#   HEROKU_CLI=<path to run.js> runbook.sh APP PLAN NAME-OF-THE-FOLLOWER
set -euo pipefail
app=$1 plan=$2 follower=$3

heroku() { node "$HEROKU_CLI" "$@"; }

formation=$(heroku ps:scale --app "$app")
nothing=$(sed -E 's/=[^ ]+/=0/g' <<<"$formation")

heroku addons:create "heroku-postgresql:$plan" --app "$app" --name "$follower" -- --follow DATABASE
heroku addons:wait "$follower" --app "$app"
heroku pg:wait "$follower" --app "$app"
until heroku pg:info "$follower" --app "$app" | grep -q 'Behind By: *0 commits'; do sleep 1; done

heroku maintenance:on --app "$app"
# shellcheck disable=SC2086 # one word for each process type
heroku ps:scale $nothing --app "$app"
until [[ $(heroku ps --app "$app" --json) == "[]" ]]; do sleep 1; done

heroku pg:unfollow "$follower" --app "$app" --confirm "$app"
heroku pg:wait "$follower" --app "$app"
heroku pg:promote "$follower" --app "$app"

# shellcheck disable=SC2086
heroku ps:scale $formation --app "$app"
until heroku ps web --app "$app" | grep -q ': up'; do sleep 1; done
heroku maintenance:off --app "$app"
