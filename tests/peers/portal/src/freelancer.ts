// The freelancer's screens.
import * as gql from "#gql/graphql.js";
import { unmask } from "#gql/fragment-masking.js";
import { done, given, type Api } from "./api.js";
import { sum, text } from "./money.js";

/** A page of the job board, forwards from a cursor or backwards from one. */
export async function board(api: Api, page: { after: string } | { before: string } | object) {
  const backwards = "before" in page;
  const { projects } = await api.ask(gql.JobBoardDocument, {
    filter: { status: ["OPEN"], budgetMin: { amount: "1", currency: "USDC" } },
    orderBy: { field: "CREATED_AT", direction: "DESC" },
    ...(backwards ? { last: 3 } : { first: 3 }),
    ...page,
  });
  const rows = projects.edges.map(({ node }) => unmask(gql.ProjectRowFragmentDoc, node));
  return { rows, ...projects.pageInfo, total: projects.totalCount };
}

/** What a bid would bring, in words. */
export async function quote(api: Api, amount: string) {
  const { quote } = await api.ask(gql.BidQuoteDocument, { input: { amount: { amount, currency: "USDC" } } });
  if (sum([quote.fee, quote.net]) !== sum([quote.gross])) throw new Error("fee and net are not the gross");
  return `${text(quote.gross)} less ${text(quote.fee)} is ${text(quote.net)}`;
}

/** Offers to do a project, in two milestones. */
export async function bid(api: Api, projectId: string, coverLetter: string) {
  const usdc = (amount: string): gql.MoneyInput => ({ amount, currency: "USDC" });
  const input: gql.ProposalSubmitInput = {
    projectId,
    coverLetter,
    bid: usdc("200"),
    availability: "IMMEDIATE",
    milestones: [
      { title: "A draft", amount: usdc("80") },
      { title: "The rest", amount: usdc("120") },
    ],
  };
  const { proposalSubmit } = await api.ask(gql.SubmitProposalDocument, { input });
  return unmask(gql.ProposalDetailsFragmentDoc, given(done(proposalSubmit).proposal, "proposal"));
}

/** What became of my proposals. */
export async function proposals(api: Api) {
  const { viewer } = await api.ask(gql.FreelancerProposalsDocument, { first: 10 });
  return unmask(gql.ProposalDetailsFragmentDoc, given(viewer, "viewer").proposals.nodes);
}

/** Takes an offer. */
export async function take(api: Api, contractId: string) {
  const { contractAccept } = await api.ask(gql.AcceptOfferDocument, { input: { contractId } });
  const details = unmask(gql.ContractDetailsFragmentDoc, given(done(contractAccept).contract, "contract"));
  return unmask(gql.ContractRowFragmentDoc, details);
}

/** Hands in the work. */
export async function submit(api: Api, milestoneId: string, note: string) {
  const { milestoneSubmit } = await api.ask(gql.SubmitWorkDocument, { input: { milestoneId, note } });
  return unmask(gql.MilestoneRowFragmentDoc, given(done(milestoneSubmit).milestone, "milestone"));
}

/** The account: each line, and what they come to. */
export async function statement(api: Api) {
  const { viewer } = await api.ask(gql.StatementDocument, { first: 50 });
  const lines = given(given(viewer, "viewer").ledger, "account").nodes;
  return { lines, balance: sum(lines.map((it) => it.amount)) };
}

/** My page and my wallets. */
export async function profile(api: Api) {
  const [me, mine] = await Promise.all([api.ask(gql.MyProfileDocument, {}), api.ask(gql.WalletsDocument, {})]);
  const form = unmask(gql.ProfileFormFragmentDoc, given(me.viewer, "viewer"));
  return { ...form, wallets: unmask(gql.WalletRowFragmentDoc, given(given(mine.viewer, "viewer").wallets, "wallets")) };
}
