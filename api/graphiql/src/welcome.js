/** What the first tab holds where the server sent no examples. */
export const WELCOME = `# MegiLance: freelance work, paid in USDC.
#
# Press Ctrl-Enter to run. The book on the left is the manual: every type and
# field is described there. The folder with the plus builds queries by clicking.
#
# To act as somebody, put their token into "Headers" below:
#   { "Authorization": "Bearer ..." }
# It is used for subscriptions, too.

query Welcome {
  projects(first: 5) {
    nodes {
      title
      status
      budgetMin {
        amount
        currency
      }
      budgetMax {
        amount
        currency
      }
    }
  }
}
`;
