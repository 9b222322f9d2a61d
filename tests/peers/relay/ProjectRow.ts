// One line of any list of projects.
import { graphql } from "react-relay";

export const row = graphql`
  fragment ProjectRow_project on Project {
    id
    title
    status
    proposalCount
    budgetMin {
      ...MoneyText_money
    }
    budgetMax {
      ...MoneyText_money
    }
    client {
      ...PersonCard_user
    }
  }
`;
