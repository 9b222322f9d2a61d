// The administrator's screens.
import * as gql from "#gql/graphql.js";
import { unmask } from "#gql/fragment-masking.js";
import { done, given, type Api } from "./api.js";
import { sum } from "./money.js";

/** How the queues are doing, and what failed for good. */
export async function queues(api: Api) {
  const [{ queues }, { jobs }] = await Promise.all([
    api.ask(gql.AdminQueuesDocument, {}),
    api.ask(gql.AdminJobsDocument, { filter: { status: "DEAD" }, first: 10 }),
  ]);
  return { queues, dead: unmask(gql.JobRowFragmentDoc, jobs.nodes) };
}

/** The people, with the addresses that only administrators see. */
export async function people(api: Api) {
  const { freelancers } = await api.ask(gql.AdminFreelancersDocument, { first: 10 });
  return unmask(gql.AdminPersonFragmentDoc, freelancers.nodes);
}

/** One person's page. */
export async function person(api: Api, id: string) {
  const { user } = await api.ask(gql.AdminPersonDocument, { id });
  const page = given(user, "user");
  return { ...unmask(gql.AdminPersonFragmentDoc, page), payments: given(page.payments, "payments").totalCount };
}

/** One payment, with the work queued for it. */
export async function payment(api: Api, id: string) {
  const { payment } = await api.ask(gql.AdminPaymentDocument, { id });
  const page = given(payment, "payment");
  return { ...unmask(gql.PaymentRowFragmentDoc, page), jobs: unmask(gql.JobRowFragmentDoc, page.jobs.nodes) };
}

/** Every payment of a kind that is final, and what they come to in micro-USDC. */
export async function paid(api: Api, kind: gql.PaymentKind) {
  const rows: gql.PaymentRowFragment[] = [];
  let after: string | null = null;
  do {
    const variables: gql.AdminPaymentsQueryVariables = { filter: { kind, status: ["COMPLETED"] }, first: 50, after };
    const { payments }: gql.AdminPaymentsQuery = await api.ask(gql.AdminPaymentsDocument, variables);
    rows.push(...unmask(gql.PaymentRowFragmentDoc, payments.nodes));
    const state: gql.PageStateFragment = unmask(gql.PageStateFragmentDoc, payments.pageInfo);
    after = state.hasNextPage ? given(state.endCursor, "cursor") : null;
  } while (after);
  return { rows, gross: sum(rows.map((it) => it.amount)), fees: sum(rows.map((it) => it.fee)) };
}

/** The figures of a time, a day each; a rate that nothing stands behind is null. */
export async function analytics(api: Api, from: string, to: string) {
  const { analytics } = await api.ask(gql.AdminAnalyticsDocument, { input: { from, to, interval: "DAY" } });
  const total = unmask(gql.FiguresFragmentDoc, analytics.total);
  const days = analytics.buckets.map((it) => ({ from: it.startAt, ...unmask(gql.FiguresFragmentDoc, it.figures) }));
  const rate: number | null | undefined = total.disputeRate;
  return { days, fees: sum([total.fees]), feesByDay: sum(days.map((it) => it.fees)), rate };
}

/** Keeps somebody out, and lets them in again. */
export async function suspendAndRestore(api: Api, userId: string, reason: string) {
  const { userSuspend } = await api.ask(gql.AdminSuspendDocument, { input: { userId, reason } });
  const suspended = given(done(userSuspend).user, "user");
  const { userRestore } = await api.ask(gql.AdminRestoreDocument, { input: { userId } });
  return { since: given(suspended.suspendedAt, "time"), after: given(done(userRestore).user, "user").suspendedAt };
}
