import ArgumentParser

/// Everything that can be measured, as tables, JSON and the command line name it.
enum SystemName: String, Codable, CaseIterable, Sendable, ExpressibleByArgument {
  /// This package's transport.
  case rmux
  case raftOverTCP = "hashicorp-tcp"
  case raftOverYamux = "hashicorp-yamux"
  case raftOverSmux = "hashicorp-smux"
  case tcp = "raw-tcp"
  case bareNIO = "bare-nio"

  /// Whether its programs are part of this executable; the others are written in Go.
  var isBuiltIn: Bool { self == .rmux || self == .bareNIO }
}
