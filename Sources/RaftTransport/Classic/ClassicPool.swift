/// The idle connections to old peers, by address: upstream's pool.
///
/// The newest is taken first; beyond a number for each address a connection that comes back is closed (R-CLS-14).
struct ClassicPool<Connection: AnyObject> {
  /// How many are kept for one address; 0 for none.
  let maximumIdle: Int
  private var idle: [ServerAddress: [Connection]] = [:]

  init(maximumIdle: Int) {
    self.maximumIdle = maximumIdle
  }

  /// How many are kept for an address.
  func count(at address: ServerAddress) -> Int { idle[address]?.count ?? 0 }

  /// Takes the connection that came back last.
  mutating func take(at address: ServerAddress) -> Connection? {
    guard let connection = idle[address]?.popLast() else { return nil }
    if idle[address]?.isEmpty == true { idle[address] = nil }
    return connection
  }

  /// Keeps a connection; `false` if there are enough and it has to be closed.
  mutating func keep(_ connection: Connection, at address: ServerAddress) -> Bool {
    guard count(at: address) < maximumIdle else { return false }
    idle[address, default: []].append(connection)
    return true
  }

  /// Forgets a connection that has ended.
  mutating func remove(_ connection: Connection, at address: ServerAddress) {
    idle[address]?.removeAll { $0 === connection }
    if idle[address]?.isEmpty == true { idle[address] = nil }
  }

  /// Gives up all connections to an address.
  mutating func removeAll(at address: ServerAddress) -> [Connection] {
    idle.removeValue(forKey: address) ?? []
  }

  /// Gives up all connections.
  mutating func removeAll() -> [Connection] {
    defer { idle = [:] }
    return idle.values.flatMap { $0 }
  }
}
