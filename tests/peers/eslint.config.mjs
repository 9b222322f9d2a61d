// graphql-eslint on schema.graphql, and on the portals' documents against it. Run from the repository's root:
// paths above a configuration's folder are not linted.
import plugin from "@graphql-eslint/eslint-plugin";

const SCHEMA = "schema.graphql";
const DOCUMENTS = "tests/peers/portal/**/*.graphql";
const languageOptions = {
  parser: plugin.parser,
  parserOptions: { graphQLConfig: { schema: SCHEMA, documents: DOCUMENTS } },
};
const rules = (wanted) => Object.fromEntries(Object.entries(wanted).map(([name, setting]) => [`@graphql-eslint/${name}`, setting]));

export default [
  {
    files: [SCHEMA],
    plugins: { "@graphql-eslint": plugin },
    languageOptions,
    rules: rules({
      "require-description": [
        "error",
        {
          types: true,
          rootField: true,
          DirectiveDefinition: true,
          EnumValueDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          // @include, @skip and @specifiedBy are GraphQL's own.
          ignoredSelectors: ["[type=InputValueDefinition][parent.kind=DirectiveDefinition]"],
        },
      ],
      "naming-convention": [
        "error",
        {
          types: "PascalCase",
          FieldDefinition: "camelCase",
          InputValueDefinition: "camelCase",
          Argument: "camelCase",
          DirectiveDefinition: "camelCase",
          EnumValueDefinition: "UPPER_CASE",
          // Noun first: projectCreate, never createProject; and a list is not a getter.
          "FieldDefinition[parent.name.value=Mutation]": {
            style: "camelCase",
            forbiddenPrefixes: ["create", "update", "delete", "remove", "add", "set", "get", "submit", "accept", "approve", "cancel"],
          },
          "FieldDefinition[parent.name.value=Query]": { style: "camelCase", forbiddenPrefixes: ["get", "list", "query", "fetch"] },
        },
      ],
      "input-name": ["error", { checkInputType: true, caseSensitiveInputType: false, checkQueries: false, checkMutations: true }],
      "relay-arguments": "error",
      "relay-connection-types": "error",
      "relay-edge-types": ["error", { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
      "relay-page-info": "error",
      // Not strict-id-in-types: what has an identity is a Node, and amounts, pages and payloads have none.
      "no-duplicate-fields": "error",
      "unique-enum-value-names": "error",
      "require-deprecation-reason": "error",
    }),
  },
  {
    files: [DOCUMENTS],
    plugins: { "@graphql-eslint": plugin },
    languageOptions,
    rules: rules({
      "naming-convention": [
        "error",
        {
          VariableDefinition: "camelCase",
          OperationDefinition: { style: "PascalCase", forbiddenSuffixes: ["Query", "Mutation", "Subscription", "Document"] },
          FragmentDefinition: { style: "PascalCase", forbiddenSuffixes: ["Fragment"] },
        },
      ],
      "no-anonymous-operations": "error",
      "no-deprecated": "error",
      "no-duplicate-fields": "error",
      "no-unused-fragments": "error",
      "no-unused-variables": "error",
      // As deep as the server allows.
      "selection-set-depth": ["error", { maxDepth: 12 }],
      "unique-fragment-name": "error",
      "unique-operation-name": "error",
    }),
  },
];
