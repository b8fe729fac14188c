/// How many TCP connections the operating system sees between each pair of nodes.
struct ConnectionCount: Equatable, Sendable {
  /// Two nodes, without a direction.
  struct Pair: Hashable, Sendable, Comparable, CustomStringConvertible {
    let first: String
    let second: String

    init(_ one: String, _ other: String) {
      self.first = min(one, other)
      self.second = max(one, other)
    }

    var description: String { "\(self.first)/\(self.second)" }

    static func < (left: Pair, right: Pair) -> Bool {
      (left.first, left.second) < (right.first, right.second)
    }
  }

  /// What the demo knows of a node: its listener and the ports from which it says that it dialled.
  struct Node: Equatable, Sendable {
    var id: String
    var listenerPort: Int
    var diallingPorts: Set<Int>
  }

  /// The connections of each pair; every pair of the given nodes is in it.
  var byPair: [Pair: Int]

  /// Established connections to one of the listeners that no node owns up to.
  var unclaimed: Int

  /// All connections, whoever made them.
  var total: Int { self.byPair.values.reduce(self.unclaimed, +) }

  /// Counts in the system's table. The table says how many connections there are and between which ports; only for
  /// the names of their dialling ends the nodes are asked.
  init(table: SocketTable, nodes: [Node]) {
    self.byPair = [:]
    self.unclaimed = 0
    for (position, node) in nodes.enumerated() {
      for other in nodes[..<position] { self.byPair[Pair(node.id, other.id)] = 0 }
    }
    for acceptor in nodes {
      for port in table.diallers(toListener: acceptor.listenerPort) {
        if let dialler = nodes.first(where: { $0.id != acceptor.id && $0.diallingPorts.contains(port) }) {
          self.byPair[Pair(acceptor.id, dialler.id), default: 0] += 1
        } else {
          self.unclaimed += 1
        }
      }
    }
  }
}
