// Never run: the compiler alone says whether the types of the SDK are right. A line that is expected to be wrong and
// is not wrong is an error for it, too.
import * as pulumi from "@pulumi/pulumi";
import { Database, DatabaseArgs } from "@heroku-postgres/heroku-postgres";

const everything: Required<DatabaseArgs> = {
    app: "shop",
    plan: "standard-2",
    apps: ["shop-admin"],
    adopt: "postgresql-round-12345",
    hold: false,
    windowBudget: 300,
    readyLimit: 86400,
    oneOffDynos: "wait",
    unloggedRows: "refuse",
    verify: "sql",
};
const database = new Database("db", everything, { protect: true });
new Database("other", { app: "shop", plan: "standard-2" });

export const texts: pulumi.Output<string>[] = [
    database.primary,
    database.plan,
    database.summary,
    database.lastChangeover,
    database.report,
];
export const lists: pulumi.Output<string[]>[] = [database.retired, database.teardown];

// @ts-expect-error The plan is missing.
new Database("db", { app: "shop" });
// @ts-expect-error The app is missing.
new Database("db", { plan: "standard-2" });
// @ts-expect-error There is no such argument.
new Database("db", { app: "shop", plan: "standard-2", windowBuget: 300 });
// @ts-expect-error An app is named by a text.
new Database("db", { app: 7, plan: "standard-2" });
// @ts-expect-error Apps are a list.
new Database("db", { app: "shop", plan: "standard-2", apps: "shop-admin" });
// @ts-expect-error Seconds are a number.
new Database("db", { app: "shop", plan: "standard-2", windowBudget: "300" });
// @ts-expect-error It is true or false.
new Database("db", { app: "shop", plan: "standard-2", hold: "no" });
// @ts-expect-error An output is known too late.
new Database("db", { app: "shop", plan: database.plan });
// @ts-expect-error There is no such output.
export const unknown = database.url;
// @ts-expect-error An output is no plain text.
export const text: string = database.primary;
