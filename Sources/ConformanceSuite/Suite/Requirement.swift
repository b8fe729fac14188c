/// A requirement of the specification.
package struct Requirement: Sendable, Hashable {
  package let id: String
  /// The page of `Spec/` on which it stands.
  package let page: String
  /// MUST, MUST NOT, SHOULD, SHOULD NOT or MAY.
  package let level: String
  /// Whether a peer can see if it is kept.
  package let isObservable: Bool
  package let sentence: String
}

/// The requirements of the specification by their ids.
package enum Requirements {
  package static let all: [String: Requirement] = Dictionary(
    uniqueKeysWithValues: RequirementTable.lines.split(separator: "\n").map { line in
      let fields = line.split(separator: "\t", maxSplits: 4, omittingEmptySubsequences: false).map(
        String.init)
      return (
        fields[0],
        Requirement(
          id: fields[0], page: fields[1], level: fields[2], isObservable: fields[3] == "yes",
          sentence: fields[4])
      )
    })
}
