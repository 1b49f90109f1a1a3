import * as pulumi from "@pulumi/pulumi";
import { Database } from "@heroku-postgres/heroku-postgres";

const config = new pulumi.Config();
const database = new Database("db", {
    app: config.require("app"),
    plan: config.require("plan"),
    adopt: config.require("adopt"),
});
new pulumi.Stash("reader", { input: database.primary });
new pulumi.Stash("after", { input: "made when the database is there" }, { dependsOn: [database] });

export const primary = database.primary;
export const retired = database.retired;
export const teardown = database.teardown;
