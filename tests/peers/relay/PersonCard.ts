// Somebody's name and picture.
import { graphql } from "react-relay";

export const person = graphql`
  fragment PersonCard_user on User {
    displayName
    headline
    avatar {
      thumbnailUrl
    }
  }
`;
