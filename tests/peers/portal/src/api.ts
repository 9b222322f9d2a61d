// The whole client that a portal needs: fetch, and documents that know what they ask for and what they get.
import { ProblemFragmentDoc, type ProblemFragment, type TypedDocumentString } from "#gql/graphql.js";
import { unmask, type FragmentType } from "#gql/fragment-masking.js";

/** What a document answers with, and what it takes. */
type Document<Result, Variables> = TypedDocumentString<Result, Variables>;

/** A server, and who asks it. */
export class Api {
  constructor(
    private readonly base: string,
    private readonly token?: string,
  ) {}

  /** Asks; any GraphQL error is thrown. */
  async ask<Result, Variables>(document: Document<Result, Variables>, variables: Variables): Promise<Result> {
    const response = await fetch(new URL("/graphql", this.base), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/graphql-response+json",
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
      },
      body: JSON.stringify({ query: document.toString(), variables }),
    });
    const body = (await response.json()) as { data?: Result | null; errors?: unknown[] };
    if (body.errors || !body.data) throw new Error(`${response.status} ${JSON.stringify(body.errors)}`);
    return body.data;
  }
}

/** A mutation's payload, whatever else it holds. */
type Payload = { userErrors: Array<FragmentType<typeof ProblemFragmentDoc>> };

/** The payload, or an error that tells people what to mend. */
export function done<P extends Payload>(payload: P): P {
  const problems: ProblemFragment[] = unmask(ProblemFragmentDoc, payload.userErrors);
  if (problems.length > 0) throw new Error(problems.map((it) => `${it.code} ${it.field?.join(".") ?? ""}: ${it.message}`).join("; "));
  return payload;
}

/** What the schema lets be null, where this screen cannot do without it. */
export function given<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`there is no ${what}`);
  return value;
}
