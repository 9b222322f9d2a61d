// A deployment with people on it, for what goes wrong on the chain: PostgreSQL (scripts/with-postgres), anvil, bucket, mail, `serve`.
import assert from "node:assert/strict";
import { booksAreRight, eachPayoutOnce, promote } from "./books.mjs";
import { maildirMails, Usdc } from "./outside.mjs";
import { Production } from "./production.mjs";
import { check } from "./report.mjs";
import { Story } from "./story.mjs";
import { purse } from "./usdc.mjs";

/**
 * Starts everything, lets a client fund a milestone of each amount, and runs what is to be seen; then looks at the books.
 * @param see is given all of it, and tells how many payouts there have to be in the end
 */
export async function onProduction(logs, { amounts, seconds }, see) {
  const production = await Production.at(logs);
  const it = { production };
  try {
    await check("anvil, SeaweedFS, an SMTP server and serve run", async () => {
      await Promise.all([production.startChain(), production.startBucket(), production.startMail()]);
      const { code, output } = production.run(["migrate", "up"]);
      assert.equal(code, 0, output);
      await production.serve();
    });
    await check(`a client, a freelancer and an administrator; ${amounts.length} milestones are funded`, async () => {
      const { rpcUrl, usdcAddress } = production.outside;
      it.usdc = new Usdc(rpcUrl, usdcAddress);
      const world = { base: production.base, mails: maildirMails(production.maildir), usdc: async () => it.usdc, seconds, pay: purse(production.outside) };
      it.story = new Story(world);
      it.client = await it.story.arrive("CLIENT", "Clara");
      it.freelancer = await it.story.arrive("FREELANCER", "Felix");
      it.admin = await promote(production, it.story, await it.story.arrive("CLIENT", "Ada"));
      const { milestones } = await it.story.agree(it.client, it.freelancer, amounts);
      await Promise.all(milestones.map((milestone) => it.story.fund(it.client, milestone)));
      it.milestones = milestones;
    });
    if (!it.milestones) return;
    const payouts = await see(it);
    await check("each payout once on the chain, a nonce each; the books are right", async () => {
      assert.equal(await eachPayoutOnce(production, it.usdc, it.admin), payouts);
      await booksAreRight(production);
      console.log(`      ${payouts} payouts, ${payouts} Transfer logs`);
    });
  } finally {
    await production.close();
  }
}
