// Ids to begin with. schemathesis finds more by itself, but not before something has answered.
import { Refused } from "../client.mjs";
import { png } from "../png.mjs";
import { Story } from "../story.mjs";

/** The ids that these people can see, by type; among them some of files that were just sent. */
export async function seeds(base, people) {
  const found = new Set(await files(base, people));
  await prepare(people);
  const look = async (client, query) => {
    for (const [id] of JSON.stringify(await client.ask(query)).matchAll(/[a-z]{3}_[0-9a-f]{32}/g)) found.add(id);
  };
  for (const client of Object.values(people)) {
    await look(client, `{
      viewer {
        id
        wallets { id }
        projects(first: 40) { nodes { id proposals(first: 5) { nodes { id freelancer { id } } } files { id } invitations(first: 5) { nodes { id } } } }
        proposals(first: 20) { nodes { id project { id client { id } } attachments { id } } }
        contracts(first: 20) { nodes {
          id milestones { id submission { files { id } } } payments(first: 20) { nodes { id } }
          amendments(first: 5) { nodes { id } } dispute { id evidence { id } } reviews { id }
        } }
        portfolio(first: 20) { nodes { id } }
        notifications(first: 20) { nodes { id } }
        ledger(first: 20) { nodes { id } }
      }
      projects(first: 20) { nodes { id skills { id } category { id } client { id } } }
      freelancers(first: 20) { nodes { id } }
    }`);
  }
  await look(people.admin, "{ jobs(first: 50) { nodes { id } } auditLog(first: 20) { nodes { id } } users(first: 20) { nodes { id } } }");
  return byType(people, [...found]);
}

/** Things in states that random documents hardly get to. What is not possible here and now is left out. */
async function prepare({ client, freelancer, admin }) {
  const { viewer } = await client.ask(`{ viewer {
    projects(first: 20) { nodes { id status } }
    contracts(first: 20) { nodes { id status milestones { id status } } }
  } }`);
  const { freelancers, categories } = await client.ask("{ freelancers(first: 20) { nodes { id } } categories { id } }");
  const [open, contract] = [viewer.projects.nodes.find((it) => it.status === "OPEN"), viewer.contracts.nodes.find((it) => it.status === "ACTIVE")];
  const frozen = viewer.contracts.nodes.filter((it) => it !== contract).flatMap((it) => it.milestones).find((it) => ["FUNDED", "SUBMITTED"].includes(it.status));
  const description = "Forty photographs of one garden, taken over a year, sorted and retouched.";
  const money = (amount) => ({ amount });
  const project = { title: "A garden", description, categoryId: categories[0].id, budgetType: "FIXED", budgetMin: money("50"), budgetMax: money("500"), experienceLevel: "ENTRY" };
  const attempts = [
    ...Array(3).fill([client, "projectCreate", { ...project, publish: false }, "project { id }"]),
    ...Array(2).fill([client, "projectCreate", { ...project, publish: true }, "project { id }"]),
    ...freelancers.nodes.map(({ id }) => [client, "invitationSend", { projectId: open?.id, freelancerId: id, message: "Would you like to?" }, "invitation { id }"]),
    [client, "contractAmend", { contractId: contract?.id, add: [{ title: "A second look", amount: money("20") }], reason: "There is more to do." }, "amendment { id }"],
    [client, "disputeOpen", { milestoneId: frozen?.id, kind: "QUALITY", description }, "dispute { id }"],
    ...Array(3).fill([freelancer, "portfolioItemCreate", { title: "A garden", description }, "portfolioItem { id }"]),
    [admin, "skillCreate", { name: "Hedges" }, "skill { id }"],
    [admin, "categoryCreate", { name: "Gardens" }, "category { id }"],
  ];
  for (const [who, ...mutation] of attempts) {
    await who.mutate(...mutation).catch((error) => {
      // Of an id that was not there, GraphQL itself complains.
      if (!(error instanceof Refused) && !error.message.startsWith("400")) throw error;
    });
  }
}

async function byType(people, ids) {
  const types = {};
  for (let at = 0; at < ids.length; at += 50) {
    for (const client of Object.values(people)) {
      const { nodes } = await client.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", { ids: ids.slice(at, at + 50) });
      for (const node of nodes) if (node) (types[node.__typename] ??= new Set()).add(node.id);
    }
  }
  return Object.fromEntries(Object.entries(types).map(([type, ids]) => [type, [...ids]]));
}

async function files(base, people) {
  const story = new Story({ base });
  const image = ["me.png", "image/png", png(40, [200, 60, 60])];
  const text = ["notes.txt", "text/plain", Buffer.from("Where each picture was taken.\n")];
  const wanted = [
    ["client", "AVATAR", image],
    ["client", "PROJECT_FILE", text],
    ["client", "EVIDENCE", text],
    ["freelancer", "AVATAR", image],
    ["freelancer", "PORTFOLIO_IMAGE", image],
    ["freelancer", "PROPOSAL_ATTACHMENT", text],
    ["freelancer", "DELIVERABLE", text],
    ["freelancer", "MESSAGE_FILE", text],
  ];
  return Promise.all(wanted.map(([who, purpose, file]) => story.upload({ client: people[who] }, purpose, ...file)));
}
