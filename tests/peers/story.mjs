// The whole journey, from registering to being paid, told by a client that knows nothing but the schema. `journey.mjs` tells
// it once, `kill.mjs` to a server that dies on the way.
//
// Each step that must not happen twice is `once(act, found)`: should the answer be lost, `found` looks whether it happened.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Client, Refused, until } from "./client.mjs";
import { micro, newWallet } from "./outside.mjs";
import { png } from "./png.mjs";

const PASSWORD = "a long walk over the hills";
const SESSION = "session { accessToken } user { id }";
const PAYMENT = `id kind status depositAddress paymentUri failureReason transactionHash confirmations requiredConfirmations
  completedAt amount { amount } fee { amount } net { amount } received { amount }
  transfers { transactionHash amount { amount } }`;

export class Story {
  /**
   * @param world `base`: where the server is; `mails(address)`: what a mailbox holds; `usdc()`: the chain's token;
   *   `pay(payment, person)`: pays a deposit from that person's wallet; `once(act, found)` and `reread(read)`: how to
   *   deal with lost answers.
   */
  constructor(world) {
    this.world = { once: (act) => act(), reread: (read) => read(), seconds: 60, ...world };
  }

  /** Registers somebody, proves their address by the mailed link, and links a new wallet. */
  async arrive(role, name) {
    const { once } = this.world;
    const person = { name, email: `${name.toLowerCase()}-${randomUUID().slice(0, 8)}@example.com`, role };
    person.client = new Client(this.world.base);
    person.wallet = newWallet();
    const session = await once(
      () => person.client.mutate("accountRegister", { email: person.email, password: PASSWORD, displayName: name, role }, SESSION),
      () => this.#signIn(person),
    );
    person.id = session.user.id;
    person.client.token = session.session.accessToken;
    await this.#verify(person);
    await once(
      () => this.linkWallet(person, person.wallet),
      async () => (await this.#viewer(person, "wallets { address }")).wallets.find(({ address }) => address === person.wallet.address),
    );
    return person;
  }

  /** Signs in anew: what somebody may do has changed. */
  async signInAgain(person) {
    person.client.token = (await this.#signIn(person)).session.accessToken;
  }

  /** Links a wallet. The first one that somebody links is the one that they are paid to. */
  async linkWallet(person, account) {
    const { message } = await person.client.mutate("walletLinkBegin", { address: account.address }, "message");
    const signature = await account.signMessage({ message });
    const { wallet } = await person.client.mutate("walletLinkComplete", { message, signature }, "wallet { id address isPayout }");
    assert.deepEqual([wallet.address, wallet.isPayout], [account.address, account === person.wallet]);
    return wallet;
  }

  /** Is paid to another linked wallet from here on. */
  async choosePayoutWallet(person, { id }) {
    await person.client.mutate("walletSetPayout", { walletId: id, password: PASSWORD }, "wallet { isPayout }");
  }

  /** The client posts, the freelancer bids two milestones, and both agree. */
  async agree(client, freelancer, amounts) {
    const { once } = this.world;
    const { categories } = await this.#ask(client, "{ categories { id } }");
    const title = `A garden, seen from above ${randomUUID().slice(0, 8)}`;
    const posted = {
      title,
      description: "Forty photographs of one garden, taken over a year, sorted and retouched.",
      categoryId: categories[0].id,
      budgetType: "FIXED",
      budgetMin: { amount: "50" },
      budgetMax: { amount: "500" },
      experienceLevel: "INTERMEDIATE",
      publish: true,
    };
    const project = await once(
      async () => (await client.client.mutate("projectCreate", posted, "project { id status }")).project,
      async () => (await this.#viewer(client, "projects { nodes { id title status } }")).projects.nodes.find((it) => it.title === title),
    );
    assert.equal(project.status, "OPEN");

    const total = amounts.reduce((sum, amount) => sum + Number(amount), 0);
    const bid = {
      projectId: project.id,
      coverLetter: "I have photographed gardens for ten years, most of them from above, and I know yours from the street.",
      bid: { amount: String(total) },
      availability: "IMMEDIATE",
      milestones: amounts.map((amount, index) => ({ title: `Season ${index + 1}`, amount: { amount } })),
    };
    const proposal = await once(
      async () => (await freelancer.client.mutate("proposalSubmit", bid, "proposal { id }")).proposal,
      async () => (await this.#viewer(freelancer, "proposals { nodes { id } }")).proposals.nodes[0],
    );
    const contract = await once(
      async () => {
        const offer = { proposalId: proposal.id, description: "Two seasons, as proposed." };
        return (await client.client.mutate("proposalAccept", offer, "contract { id }")).contract;
      },
      async () => (await this.#ask(client, "query ($id: ID!) { project(id: $id) { contract { id } } }", { id: project.id })).project.contract,
    );
    await once(
      () => freelancer.client.mutate("contractAccept", { contractId: contract.id }, "contract { status }"),
      async () => (await this.contract(client, contract.id)).status === "ACTIVE",
    );
    const signed = await this.contract(client, contract.id);
    assert.equal(signed.status, "ACTIVE");
    assert.deepEqual(signed.milestones.map((it) => [micro(it.amount.amount), it.status]), amounts.map((it) => [micro(it), "PENDING"]));
    return signed;
  }

  /** The client asks for a milestone's deposit, twice, and gets one. */
  async askForDeposit(client, milestone) {
    const key = randomUUID();
    const ask = () =>
      client.client.mutate("milestoneFund", { milestoneId: milestone.id, idempotencyKey: key }, `payment { ${PAYMENT} } milestone { status }`);
    const { payment } = await this.world.reread(ask);
    assert.deepEqual([payment.kind, payment.status], ["DEPOSIT", "AWAITING_FUNDS"]);
    assert.match(payment.paymentUri, /^ethereum:0x[0-9a-fA-F]{40}@\d+\/transfer\?/);
    assert.equal((await this.world.reread(ask)).payment.id, payment.id, "the same key gives the same payment");
    return payment;
  }

  /** The client funds a milestone; the deposit is paid, seen on the chain and confirmed. */
  async fund(client, milestone) {
    const payment = await this.askForDeposit(client, milestone);
    const completed = this.#completed(client, payment.id);
    completed.catch(() => {});
    await this.world.once(
      () => this.world.pay(payment, client),
      () => this.#arrived(client, payment.id),
    );
    const deposit = await completed;
    assert.equal(micro(deposit.received.amount), micro(milestone.amount.amount));
    assert.ok(deposit.confirmations >= deposit.requiredConfirmations, "confirmed as often as needed");
    assert.equal((await this.milestone(client, milestone.id)).status, "FUNDED");
    return deposit;
  }

  /** The freelancer hands in a file, the client approves, and the payout is mined. */
  async deliver(client, freelancer, milestone) {
    await this.handIn(client, freelancer, milestone);
    const before = await this.#balance(freelancer);
    return this.paid(client, freelancer, milestone, await this.approve(client, milestone), before);
  }

  /** The freelancer hands in a file, and the client reads it. */
  async handIn(client, freelancer, milestone) {
    const uploadIds = [await this.upload(freelancer, "DELIVERABLE", "notes.txt", "text/plain", Buffer.from("Where each picture was taken.\n"))];
    await this.world.once(
      () => freelancer.client.mutate("milestoneSubmit", { milestoneId: milestone.id, note: "The first season.", uploadIds }, "milestone { status autoReleaseAt }"),
      async () => (await this.milestone(client, milestone.id)).status === "SUBMITTED",
    );
    const { submission } = await this.milestone(client, milestone.id);
    assert.equal(submission.note, "The first season.");
    const link = submission.files.find((file) => file.filename === "notes.txt").url;
    const file = await this.world.reread(async () => {
      const answer = await fetch(link);
      return { headers: answer.headers, text: await answer.text() };
    });
    assert.equal(file.text, "Where each picture was taken.\n");
    assert.match(file.headers.get("content-disposition"), /^attachment/);
  }

  /** The client approves what was handed in. Gives the payout. */
  async approve(client, milestone) {
    const key = randomUUID();
    const { payment } = await this.world.reread(() =>
      client.client.mutate("milestoneApprove", { milestoneId: milestone.id, idempotencyKey: key }, `payment { ${PAYMENT} }`),
    );
    assert.equal(payment.kind, "RELEASE");
    return payment;
  }

  /** Waits until a release is mined and the milestone PAID. @param before what the freelancer had */
  async paid(client, freelancer, milestone, payment, before, to = freelancer.wallet.address) {
    const payout = await this.#completed(freelancer, payment.id);
    await this.#isOnTheChain(payout, to, before);
    assert.equal(micro(payout.fee.amount) * 10n, micro(milestone.amount.amount), "the fee is a tenth");
    assert.equal((await this.milestone(client, milestone.id)).status, "PAID");
    return payout;
  }

  /** The freelancer gives a funded milestone back. */
  async giveBack(client, freelancer, milestone) {
    const before = await this.#balance(client);
    return this.refunded(client, milestone, await this.refund(freelancer, milestone), before);
  }

  /** The freelancer wants to give a funded milestone back. Gives the refund. */
  async refund(freelancer, milestone) {
    const input = { milestoneId: milestone.id, reason: "The garden is under snow.", idempotencyKey: randomUUID() };
    const { payment } = await this.world.reread(() => freelancer.client.mutate("milestoneRefund", input, `payment { ${PAYMENT} }`));
    assert.equal(payment.kind, "REFUND");
    return payment;
  }

  /** Waits until a refund is mined and the milestone REFUNDED. @param before what the client had */
  async refunded(client, milestone, payment, before, to = client.wallet.address) {
    const refund = await this.#completed(client, payment.id);
    assert.equal(micro(refund.fee.amount), 0n);
    await this.#isOnTheChain(refund, to, before);
    assert.equal((await this.milestone(client, milestone.id)).status, "REFUNDED");
    return refund;
  }

  /** A picture, then another: the first one's object goes. */
  async changeAvatar(person) {
    const set = async (colour) => {
      const uploadId = await this.upload(person, "AVATAR", "me.png", "image/png", png(300, colour));
      const { user } = await this.world.reread(() => person.client.mutate("avatarSet", { uploadId }, "user { avatar { url smallUrl } }"));
      return user.avatar;
    };
    const first = await set([200, 60, 60]);
    assert.equal((await fetch(first.url)).status, 200);
    const second = await set([60, 60, 200]);
    assert.equal((await fetch(second.url)).status, 200);
    for (const link of [first.url, first.smallUrl]) {
      await until("the old picture to be gone", async () => (await fetch(link)).status === 404);
    }
    assert.equal((await fetch(second.smallUrl)).status, 200);
  }

  /** Sends a file straight to the bucket and waits until it was looked at. */
  async upload(person, purpose, filename, contentType, bytes) {
    const send = async () => {
      const asked = { purpose, filename, contentType, byteSize: bytes.length };
      const { upload, request } = await person.client.mutate("uploadCreate", asked, "upload { id } request { method url headers { name value } }");
      const headers = Object.fromEntries(request.headers.map(({ name, value }) => [name, value]));
      const stored = await fetch(request.url, { method: request.method, headers, body: bytes });
      assert.equal(stored.status, 200, await stored.text());
      await person.client.mutate("uploadComplete", { uploadId: upload.id }, "upload { status }");
      return upload.id;
    };
    // A file whose answer was lost is sent anew; what is left over is swept.
    const id = await this.world.reread(send);
    const looked = await until("the file to be looked at", async () => {
      const { node } = await this.#ask(person, "query ($id: ID!) { node(id: $id) { ... on Upload { status rejectionReason } } }", { id });
      return ["READY", "REJECTED"].includes(node.status) && node;
    }, { seconds: Math.max(60, this.world.seconds) });
    assert.deepEqual(looked, { status: "READY", rejectionReason: null });
    return id;
  }

  async contract(person, id) {
    const query = `query ($id: ID!) { contract(id: $id) { id status amount { amount } inEscrow { amount } paid { amount }
      milestones { id title status amount { amount } } } }`;
    return (await this.#ask(person, query, { id })).contract;
  }

  async milestone(person, id) {
    const query = "query ($id: ID!) { node(id: $id) { ... on Milestone { status submission { note files { filename url } } } } }";
    return (await this.#ask(person, query, { id })).node;
  }

  async payment(person, id) {
    return (await this.#ask(person, `query ($id: ID!) { payment(id: $id) { ${PAYMENT} } }`, { id })).payment;
  }

  /** The kinds of what somebody was told, and the subjects of the mails that they got. */
  async told(person) {
    const { notifications } = await this.#viewer(person, "notifications(first: 50) { nodes { kind } }");
    const mails = await this.world.mails(person.email);
    return { kinds: notifications.nodes.map((it) => it.kind), subjects: mails.map((it) => it.subject) };
  }

  async #signIn(person) {
    try {
      return await person.client.mutate("sessionCreate", { email: person.email, password: PASSWORD }, SESSION);
    } catch (error) {
      if (error instanceof Refused) return undefined;
      throw error;
    }
  }

  async #verify(person) {
    // A worker that was killed over the mail is replaced after 15 s, and its lease ends after 20.
    const token = await until(`the mail to ${person.email}`, async () => {
      const mails = await this.world.reread(() => this.world.mails(person.email));
      return mails.map((mail) => /token=([\w.~-]+)/.exec(mail.text)?.[1]).find(Boolean);
    }, { seconds: Math.max(60, this.world.seconds) });
    await this.world.once(
      () => person.client.mutate("accountVerify", { token }, "user { id }"),
      async () => (await this.#viewer(person, "emailVerifiedAt")).emailVerifiedAt,
    );
  }

  async #completed(person, id) {
    const query = `subscription ($id: ID!) { paymentUpdated(paymentId: $id) { ${PAYMENT} } }`;
    const ended = ({ paymentUpdated: { status } }) => ["COMPLETED", "FAILED", "EXPIRED"].includes(status);
    const watch = () => person.client.watch(query, { id }, ended, { seconds: this.world.seconds });
    const { paymentUpdated } = await this.world.reread(watch);
    assert.equal(paymentUpdated.status, "COMPLETED", paymentUpdated.failureReason);
    assert.ok(paymentUpdated.completedAt);
    return paymentUpdated;
  }

  /** Whether a deposit's transfer was seen: only after a while is its absence believed. */
  async #arrived(person, id) {
    const seen = async () => {
      const { status, transfers } = await this.payment(person, id);
      return status !== "AWAITING_FUNDS" || transfers.length > 0;
    };
    // A scanner that was killed in the middle of its look is replaced after 15 to 20 s.
    return until("the deposit", seen, { seconds: 40 }).catch(() => false);
  }

  #balance(person) {
    return this.world.reread(async () => (await this.world.usdc()).balance(person.wallet.address));
  }

  async #isOnTheChain(payment, to, before) {
    const [after, transfers] = await this.world.reread(async () => {
      const usdc = await this.world.usdc();
      return Promise.all([usdc.balance(to), usdc.transfersTo(to)]);
    });
    assert.equal(micro(after), micro(before) + micro(payment.net.amount), "the payee has it");
    const made = transfers.filter((it) => it.transactionHash === payment.transactionHash);
    assert.deepEqual(made.map((it) => micro(it.amount)), [micro(payment.net.amount)], "one Transfer log, of the net");
    assert.equal(micro(payment.fee.amount) + micro(payment.net.amount), micro(payment.amount.amount));
    assert.ok(payment.confirmations >= payment.requiredConfirmations, "confirmed as often as needed");
  }

  async #viewer(person, selection) {
    return (await this.#ask(person, `{ viewer { ${selection} } }`)).viewer;
  }

  #ask(person, query, variables) {
    return this.world.reread(() => person.client.ask(query, variables));
  }
}
