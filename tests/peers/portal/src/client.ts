// The client's screens.
import * as gql from "#gql/graphql.js";
import { unmask, type FragmentType } from "#gql/fragment-masking.js";
import { done, given, type Api } from "./api.js";
import { sum } from "./money.js";

/** "My projects": every page of them, each with what it may cost and its first proposals. */
export async function projects(api: Api) {
  const rows = [];
  let after: string | null = null;
  do {
    const page: gql.ClientProjectsQuery = await api.ask(gql.ClientProjectsDocument, { first: 2, after });
    const { nodes, pageInfo } = given(page.viewer, "viewer").projects;
    for (const node of nodes) {
      const project = unmask(gql.ProjectRowFragmentDoc, node);
      const proposals = unmask(gql.ProposalCardFragmentDoc, node.proposals.nodes);
      rows.push({ ...project, atMost: sum([project.budgetMax]), bids: sum(proposals.map((it) => it.bid)) });
    }
    const state: gql.PageStateFragment = unmask(gql.PageStateFragmentDoc, pageInfo);
    after = state.hasNextPage ? given(state.endCursor, "cursor") : null;
  } while (after);
  return rows;
}

/** One project with its proposals and who made them. */
export async function project(api: Api, id: string) {
  const { project } = await api.ask(gql.ClientProjectDocument, { id, first: 20 });
  const { proposals, contract, ...rest } = given(project, "project");
  return {
    ...unmask(gql.ProjectDetailsFragmentDoc, rest),
    contract,
    proposals: proposals.nodes.map((it) => {
      const card = unmask(gql.ProposalCardFragmentDoc, it);
      const { displayName } = unmask(gql.PersonCardFragmentDoc, card.freelancer);
      return { ...unmask(gql.ProposalDetailsFragmentDoc, it), by: displayName };
    }),
  };
}

/** The form of a new project, filled in. */
export async function post(api: Api, title: string, description: string) {
  const { categories, skills } = await api.ask(gql.PostProjectChoicesDocument, {});
  const input: gql.ProjectCreateInput = {
    title,
    description,
    categoryId: given(categories[0], "category").id,
    skillIds: skills.nodes.slice(0, 2).map((it) => it.id),
    budgetType: "FIXED",
    budgetMin: { amount: "100", currency: "USDC" },
    budgetMax: { amount: "250.50", currency: "USDC" },
    experienceLevel: "INTERMEDIATE",
    publish: true,
  };
  const { projectCreate } = await api.ask(gql.PostProjectDocument, { input });
  const details = unmask(gql.ProjectDetailsFragmentDoc, given(done(projectCreate).project, "project"));
  return unmask(gql.ProjectRowFragmentDoc, details);
}

/** Accepts a proposal: the contract that was offered. */
export async function accept(api: Api, proposalId: string, description: string) {
  const { proposalAccept } = await api.ask(gql.AcceptProposalDocument, { input: { proposalId, description } });
  return unmask(gql.ContractRowFragmentDoc, given(done(proposalAccept).contract, "contract"));
}

/** A contract's page: what is in each milestone, and what was paid. */
export async function contract(api: Api, id: string) {
  const { contract } = await api.ask(gql.ClientContractDocument, { id });
  const details = unmask(gql.ContractDetailsFragmentDoc, given(contract, "contract"));
  const milestones = unmask(gql.MilestoneRowFragmentDoc, details.milestones);
  const row = unmask(gql.ContractRowFragmentDoc, details);
  return { ...row, milestones, planned: sum(milestones.map((it) => it.amount)), agreed: sum([row.amount]) };
}

/** Funds a milestone: where to pay, how much, until when. */
export async function fund(api: Api, milestoneId: string, idempotencyKey: string) {
  const { milestoneFund } = await api.ask(gql.FundMilestoneDocument, { input: { milestoneId, idempotencyKey } });
  return deposit(given(done(milestoneFund).payment, "payment"));
}

/** How a deposit is doing. */
export async function depositState(api: Api, id: string) {
  const { payment } = await api.ask(gql.DepositStateDocument, { id });
  return deposit(given(payment, "payment"));
}

/** Approves what was handed in: the payout that it starts. */
export async function approve(api: Api, milestoneId: string, idempotencyKey: string) {
  const { milestoneApprove } = await api.ask(gql.ApproveMilestoneDocument, { input: { milestoneId, idempotencyKey } });
  const payout = unmask(gql.PaymentRowFragmentDoc, given(done(milestoneApprove).payment, "payment"));
  return { ...payout, difference: sum([payout.amount]) - sum([payout.fee, payout.net]) };
}

function deposit(masked: FragmentType<typeof gql.DepositInstructionsFragmentDoc>) {
  const instructions = unmask(gql.DepositInstructionsFragmentDoc, masked);
  const row = unmask(gql.PaymentRowFragmentDoc, instructions);
  const address: string = given(instructions.depositAddress, "address");
  return { ...row, address, received: instructions.received ? sum([instructions.received]) : 0n, asked: sum([row.amount]) };
}
