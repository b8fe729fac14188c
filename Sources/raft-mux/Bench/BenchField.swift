/// Who takes part.
struct BenchField: Sendable {
  private(set) var systems: [any MeasuredSystem] = []
  /// A line for each that does not, and why.
  private(set) var missing: [String] = []
  private var goPeers: GoPeers?

  /// Starts the processes.
  static func open(files: SnapshotFiles, withPeers: Bool) async throws -> BenchField {
    var field = BenchField()
    do {
      field.systems.append(try await MuxSystem(files: files))
      if withPeers { try await field.addPeers(files) }
      return field
    } catch {
      await field.close()
      throw error
    }
  }

  /// Ends the processes and removes what was built.
  func close() async {
    for system in self.systems { await system.stop() }
    self.goPeers?.remove()
  }

  private mutating func addPeers(_ files: SnapshotFiles) async throws {
    let peers = await GoPeers.build()
    self.goPeers = peers
    for (peer, reason) in peers.missing { self.missing.append("missing: \(peer.rawValue): \(reason)") }
    for peer in peers.available {
      do {
        self.systems.append(try await peers.start(peer, files: files))
      } catch {
        self.missing.append("missing: \(peer.rawValue): \(error)")
      }
    }
    self.systems.append(try await MessageSystem())
  }
}
