/// Workloads that make one table: most stand alone, those that differ in one number or message stand together.
struct WorkloadGroup: Sendable {
  let name: String
  let workloads: [Workload]

  /// In the order of the first of each.
  static func groups(of workloads: [Workload]) -> [WorkloadGroup] {
    var names: [String] = []
    var members: [String: [Workload]] = [:]
    for workload in workloads {
      let name = groupName(of: workload)
      if members[name] == nil { names.append(name) }
      members[name, default: []].append(workload)
    }
    return names.map { WorkloadGroup(name: $0, workloads: members[$0] ?? []) }
  }

  private static func groupName(of workload: Workload) -> String {
    if case .codec = workload.kind { return "codec" }
    guard workload.name.hasPrefix("growth-"), let end = workload.name.lastIndex(of: "-") else {
      return workload.name
    }
    return String(workload.name[..<end])
  }

  var about: String {
    switch name {
    case "codec": "writing and reading a message, without any connection"
    case "growth-entries": "one pipeline, \(Workload.deepPipeline) in flight, more and more entries of 256 B"
    case "growth-streams": "more and more pipelines at once to one peer, each at the default depth"
    case "growth-peers":
      "a pipeline to each of more and more peers at once, \(Workload.deepPipeline) in flight"
    case "growth-snapshot": "larger and larger snapshots from memory, as they are"
    default: workloads.first?.about ?? ""
    }
  }

  /// In what its workloads differ.
  var part: String {
    switch name {
    case "codec": "message"
    case "growth-entries": "entries"
    case "growth-streams": "pipelines"
    case "growth-peers": "peers"
    case "growth-snapshot": "size"
    default: "workload"
    }
  }

  /// Where in that a workload stands.
  func partName(of workload: Workload) -> String {
    String(workload.name.dropFirst(name.count + 1))
  }

  /// The same as a number: entries, pipelines, peers or bytes.
  func position(of workload: Workload) -> Double? {
    ByteSize(argument: partName(of: workload)).map { Double($0.count) }
  }
}
