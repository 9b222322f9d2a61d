// Ids to begin with. schemathesis finds more by itself, but not before something has answered.
import { png } from "../png.mjs";
import { Story } from "../story.mjs";

/** The ids that these people can see, by type; among them some of files that were just sent. */
export async function seeds(base, people) {
  const found = new Set(await files(base, people));
  const look = async (client, query) => {
    for (const [id] of JSON.stringify(await client.ask(query)).matchAll(/[a-z]{3}_[0-9a-f]{32}/g)) found.add(id);
  };
  for (const client of Object.values(people)) {
    await look(client, `{
      viewer {
        id
        wallets { id }
        projects(first: 20) { nodes { id proposals(first: 5) { nodes { id freelancer { id } } } files { id } } }
        proposals(first: 20) { nodes { id project { id client { id } } attachments { id } } }
        contracts(first: 20) { nodes { id milestones { id submission { files { id } } } payments(first: 20) { nodes { id } } } }
        notifications(first: 20) { nodes { id } }
        ledger(first: 20) { nodes { id } }
      }
      projects(first: 20) { nodes { id skills { id } category { id } client { id } } }
      freelancers(first: 20) { nodes { id } }
    }`);
  }
  await look(people.admin, "{ jobs(first: 50) { nodes { id } } }");
  return byType(people, [...found]);
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
