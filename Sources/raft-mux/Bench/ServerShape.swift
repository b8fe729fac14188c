/// What an answering process of this package's transport has to be ready for.
struct ServerShape: Codable, Sendable, Equatable {
  /// How many transports it runs, each a peer of its own.
  var transports = 1
  /// How many streams one connection may have beside the usual ones; 0 leaves the limits as they are.
  var streams = 0
}
