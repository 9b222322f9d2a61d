// The administrator's screens.
import * as gql from "#gql/graphql.js";
import { unmask } from "#gql/fragment-masking.js";
import { given, type Api } from "./api.js";

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
