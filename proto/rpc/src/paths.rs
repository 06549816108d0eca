//! The paths of all methods, as gRPC and `abci_query` name them.

/// Reads one account.
pub const AUTH_ACCOUNT: &str = "/cosmos.auth.v1beta1.Query/Account";
/// Reads the balance of one denomination.
pub const BANK_BALANCE: &str = "/cosmos.bank.v1beta1.Query/Balance";
/// Reads all balances of an account.
pub const BANK_ALL_BALANCES: &str = "/cosmos.bank.v1beta1.Query/AllBalances";
/// Executes a transaction without keeping anything.
pub const TX_SIMULATE: &str = "/cosmos.tx.v1beta1.Service/Simulate";
/// Looks a transaction up.
pub const TX_GET: &str = "/cosmos.tx.v1beta1.Service/GetTx";
/// Gives a transaction to the mempool.
pub const TX_BROADCAST: &str = "/cosmos.tx.v1beta1.Service/BroadcastTx";
/// Reads one policy.
pub const POLICY_POLICY: &str = "/holdfast.policy.v1.Query/Policy";
/// Lists policies.
pub const POLICY_POLICIES: &str = "/holdfast.policy.v1.Query/Policies";
/// Reads revisions with their changes.
pub const POLICY_CHANGES: &str = "/holdfast.policy.v1.Query/Changes";
/// Reads the record of one object.
pub const POLICY_OBJECT: &str = "/holdfast.policy.v1.Query/Object";
/// Reads the record of one collection.
pub const POLICY_COLLECTION: &str = "/holdfast.policy.v1.Query/Collection";
/// Checks a permission.
pub const POLICY_CHECK_PERMISSION: &str = "/holdfast.policy.v1.Query/CheckPermission";
/// Checks a permission on a node's own replica.
pub const PERMISSIONS_CHECK_PERMISSION: &str = "/holdfast.policy.v1.Permissions/CheckPermission";
/// Checks several.
pub const PERMISSIONS_CHECK_PERMISSIONS: &str = "/holdfast.policy.v1.Permissions/CheckPermissions";
/// Expands a permission.
pub const PERMISSIONS_EXPAND_PERMISSION: &str = "/holdfast.policy.v1.Permissions/ExpandPermission";
/// Lists objects.
pub const PERMISSIONS_LOOKUP_OBJECTS: &str = "/holdfast.policy.v1.Permissions/LookupObjects";
/// Lists subjects.
pub const PERMISSIONS_LOOKUP_SUBJECTS: &str = "/holdfast.policy.v1.Permissions/LookupSubjects";
/// Explains an answer.
pub const PERMISSIONS_EXPLAIN_PERMISSION: &str =
    "/holdfast.policy.v1.Permissions/ExplainPermission";
/// Reads one audit log.
pub const AUDIT_LOG: &str = "/holdfast.audit.v1.Query/Log";
/// Lists the logs of a policy.
pub const AUDIT_LOGS: &str = "/holdfast.audit.v1.Query/Logs";
/// Reads the anchors of a log.
pub const AUDIT_ANCHORS: &str = "/holdfast.audit.v1.Query/Anchors";
/// Proves one anchor.
pub const AUDIT_ANCHOR_PROOF: &str = "/holdfast.audit.v1.Query/AnchorProof";
/// Reads one key of one tree.
pub const LIGHT_STATE: &str = "/holdfast.light.v1.Query/State";
/// Proves an earlier block.
pub const LIGHT_BLOCK_INCLUSION: &str = "/holdfast.light.v1.Query/BlockInclusion";
/// Reads the chain's parameters.
pub const LIGHT_PARAMS: &str = "/holdfast.light.v1.Query/Params";

/// All of them.
pub const ALL: &[&str] = &[
    AUTH_ACCOUNT,
    BANK_BALANCE,
    BANK_ALL_BALANCES,
    TX_SIMULATE,
    TX_GET,
    TX_BROADCAST,
    POLICY_POLICY,
    POLICY_POLICIES,
    POLICY_CHANGES,
    POLICY_OBJECT,
    POLICY_COLLECTION,
    POLICY_CHECK_PERMISSION,
    PERMISSIONS_CHECK_PERMISSION,
    PERMISSIONS_CHECK_PERMISSIONS,
    PERMISSIONS_EXPAND_PERMISSION,
    PERMISSIONS_LOOKUP_OBJECTS,
    PERMISSIONS_LOOKUP_SUBJECTS,
    PERMISSIONS_EXPLAIN_PERMISSION,
    AUDIT_LOG,
    AUDIT_LOGS,
    AUDIT_ANCHORS,
    AUDIT_ANCHOR_PROOF,
    LIGHT_STATE,
    LIGHT_BLOCK_INCLUSION,
    LIGHT_PARAMS,
];

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Set {
        #[prost(message, repeated, tag = "1")]
        file: Vec<File>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct File {
        #[prost(string, tag = "2")]
        package: String,
        #[prost(message, repeated, tag = "6")]
        service: Vec<Service>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Service {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(message, repeated, tag = "2")]
        method: Vec<Method>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Method {
        #[prost(string, tag = "1")]
        name: String,
    }

    #[test]
    fn the_paths_are_those_of_the_descriptors() {
        let set = Set::decode(wire::FILE_DESCRIPTOR_SET).unwrap();
        let mut described: Vec<String> = Vec::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    described.push(format!(
                        "/{}.{}/{}",
                        file.package, service.name, method.name
                    ));
                }
            }
        }
        described.sort();
        let mut spelled: Vec<&str> = ALL.to_vec();
        spelled.sort_unstable();
        assert_eq!(described, spelled);
    }
}
