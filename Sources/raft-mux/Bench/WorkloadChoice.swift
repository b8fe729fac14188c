/// Which workloads a name on the command line means.
enum WorkloadChoice {
  /// The workloads that any of the names means, in the order of the catalogue.
  ///
  /// A name means itself and all that go on from it with a hyphen: `snapshot` is every snapshot.
  ///
  /// - Throws: ``BenchError`` for a name that means nothing.
  static func workloads(named names: [String]) throws -> [Workload] {
    if names.isEmpty { return Workload.all }
    for name in names where !Workload.all.contains(where: { self.matches($0, name) }) {
      throw BenchError("there is no workload '\(name)'; --list names them all")
    }
    return Workload.all.filter { workload in names.contains { self.matches(workload, $0) } }
  }

  private static func matches(_ workload: Workload, _ name: String) -> Bool {
    workload.name == name || workload.name.hasPrefix(name + "-")
  }
}
