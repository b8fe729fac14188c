/// Who takes part.
struct BenchField: Sendable {
  private(set) var systems: [any MeasuredSystem] = []
  /// A line for each that does not, and why.
  private(set) var missing: [String] = []
  private let host: any AnsweringHost
  private let goPeers: GoPeers?

  /// The machine of the answering processes, if it is another one.
  var otherMachine: Machine? { host.machine }

  /// Starts the processes.
  ///
  /// - Parameters:
  ///   - remote: Where `raft-mux bench --serve` listens; `nil` runs the answering processes here.
  ///   - link: An emulated link to be put before each of them.
  /// - Throws: If the other machine cannot be reached; a system that cannot be started is only missing.
  static func open(
    _ names: [SystemName], files: SnapshotFiles, remote: String?, link: LinkChoice?
  ) async throws -> BenchField {
    let goPeers = names.allSatisfy(\.isBuiltIn) ? nil : await GoPeers.build()
    let host: any AnsweringHost
    do {
      host =
        if let remote {
          try await RemoteHost.connect(to: remote)
        } else {
          LocalHost(address: "127.0.0.1", goPeers: goPeers)
        }
    } catch {
      goPeers?.remove()
      throw error
    }
    let reached: any AnsweringHost = if let link { LinkedHost(base: host, link: link) } else { host }
    return await open(names, files: files, host: reached, goPeers: goPeers)
  }

  /// Starts the answering processes on a host; what cannot be started is missing.
  static func open(
    _ names: [SystemName], files: SnapshotFiles, host: any AnsweringHost, goPeers: GoPeers?
  ) async -> BenchField {
    var field = BenchField(host: host, goPeers: goPeers)
    for name in names {
      do {
        field.systems.append(try await field.start(name, files))
      } catch {
        field.missing.append("missing: \(name.rawValue): \(error)")
      }
    }
    return field
  }

  private init(host: any AnsweringHost, goPeers: GoPeers?) {
    self.host = host
    self.goPeers = goPeers
  }

  /// Ends the processes and removes what was built.
  func close() async {
    for system in systems { await system.stop() }
    await host.close()
    goPeers?.remove()
  }

  private func start(_ name: SystemName, _ files: SnapshotFiles) async throws -> any MeasuredSystem {
    let program = try name.isBuiltIn ? "" : goPeers?.program(of: name) ?? ""
    let server = try await host.start(name)
    do {
      switch name {
      case .rmux:
        return MuxSystem(server: server, host: host, files: files)
      case .bareNIO:
        return MessageSystem(server: server, files: files)
      case .raftOverTCP, .raftOverYamux, .raftOverSmux, .tcp:
        return try await GoSystem(name, program: program, server: server, files: files)
      }
    } catch {
      await server.stop()
      throw error
    }
  }
}
