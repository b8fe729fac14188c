/// A mutant for every MUST that the suite can see broken. What it cannot see is in `Spec/tables/unobserved.json`.
enum Mutants {
  static let all: [Mutant] =
    framing + checksums + handshake + refusals + pairs + streams + halves + credit + liveness + drain + limits
    + payloads
    + snapshots + clients + keys
}
