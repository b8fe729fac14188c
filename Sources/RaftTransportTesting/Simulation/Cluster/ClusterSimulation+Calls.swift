internal import NIOCore
internal import RaftTransport

/// The callers' side.
extension ClusterSimulation {
  /// How much later than its deadline a call may end, in nanoseconds: its event loop has other things to do, too.
  private static let slack: Int64 = 100_000_000

  /// One unary call.
  func call(
    _ kind: SimulatedOperation.Kind, from server: SimulatedServer, to target: Int, wanting id: ServerID,
    size wantedSize: Int? = nil, cancellingAfter cancelling: Int64? = nil,
    ended: (@Sendable (Bool) -> Void)? = nil
  ) {
    guard let transport = server.transport else { return }
    let start = max(time.now, server.machine.process.stoppedUntil)
    let number = ledger.begin(
      kind, from: server.name, to: target, wanting: id.isEmpty ? nil : id, due: start + timeout + Self.slack)
    let isLarge = !isCalm && random.happens(0.2)
    let size = wantedSize ?? (kind == .append ? random.next(in: 0...(isLarge ? 200_000 : 500)) : 0)
    trace.note { "\(server.name) sends \(kind) #\(number) to n\(target + 1)" }
    let address = SimulatedServer.address(target)
    let task = server.start("\(kind) #\(number)") { [self] in
      do {
        switch kind {
        case .vote:
          let request = RequestVoteRequest(term: number, lastLogIndex: 1)
          let response = try await transport.requestVote(id: id, target: address, request)
          expect(response.term == number &* 31 && response.granted, number)
        case .preVote:
          let request = RequestPreVoteRequest(term: number)
          let response = try await transport.requestPreVote(id: id, target: address, request)
          expect(response.term == number &* 31, number)
        case .timeoutNow:
          let header = RPCHeader(id: ByteBuffer(string: "\(number)"))
          let response = try await transport.timeoutNow(
            id: id, target: address, TimeoutNowRequest(header: header))
          expect(response.header.id == header.id, number)
        default:
          let request = Self.appendRequest(number, size: size, isHeartbeat: kind == .heartbeat)
          let response = try await transport.appendEntries(id: id, target: address, request)
          expect(response.term == number &* 31 && response.lastLog == UInt64(size), number)
        }
        end(number, .answered, server)
        ended?(true)
      } catch {
        end(number, error, server)
        ended?(false)
      }
    }
    if let cancelling { cancel(task, number, server, after: cancelling) }
  }

  private func cancel(
    _ task: Task<Void, Never>, _ number: UInt64, _ server: SimulatedServer, after delay: Int64
  ) {
    server.machine.loop.at(time.now + delay) { [self] in
      guard ledger.open.contains(number) else { return }
      trace.note { "#\(number) is cancelled" }
      ledger.update(number) { $0.due = min($0.due ?? .max, time.now + Self.slack) }
      task.cancel()
    }
  }

  static func appendRequest(_ number: UInt64, size: Int, isHeartbeat: Bool) -> AppendEntriesRequest {
    let header = RPCHeader(id: ByteBuffer(string: "caller"), address: ByteBuffer(string: "address"))
    if isHeartbeat { return AppendEntriesRequest(header: header, term: number) }
    let content = SnapshotContent(number: number, size: size, isMonotonous: false)
    let entry = LogEntry(index: 1, term: number, data: content.bytes(size, from: 0))
    return AppendEntriesRequest(
      header: header, term: number, previousLogIndex: 1, entries: [entry], leaderCommitIndex: 1)
  }

  // MARK: Pipelines

  func pipeline(_ count: Int, from server: SimulatedServer, to target: Int, size: Int? = nil) {
    guard let transport = server.transport else { return }
    let pipelineNumber = nextPipeline()
    let sizes = (0..<count).map { _ in size ?? random.next(in: 0...(random.happens(0.1) ? 100_000 : 2_000)) }
    let pauses = (0..<count).map { _ in random.happens(0.3) ? random.duration(upTo: 300_000_000) : 0 }
    let consumerPause = random.happens(0.3) ? random.duration(upTo: 500_000_000) : 0
    let closesEarly = !isCalm && random.happens(0.2)
    let address = SimulatedServer.address(target)
    trace.note { "\(server.name) opens pipeline \(pipelineNumber) to n\(target + 1)" }
    server.start("pipeline \(pipelineNumber)") { [self] in
      do {
        let pipeline = try await transport.appendEntriesPipeline(
          id: SimulatedServer.id(target), target: address)
        let reader = server.start("reading pipeline \(pipelineNumber)") { [self] in
          for await future in pipeline.consumer {
            await settle(future, server)
            await server.pause(consumerPause)
          }
        }
        var refused: (number: UInt64, error: any Error)?
        for place in 0..<count where refused == nil {
          await server.pause(pauses[place])
          let number = ledger.begin(
            .pipelined, from: server.name, to: target, wanting: SimulatedServer.id(target), due: nil)
          ledger.update(number) { $0.pipeline = (pipelineNumber, place) }
          do {
            _ = try await pipeline.appendEntries(
              Self.appendRequest(number, size: sizes[place], isHeartbeat: false))
          } catch {
            // Refused at once; or it was written, and its future is among those that the consumer gets.
            refused = (number, error)
          }
        }
        if closesEarly { await pipeline.close() }
        // Time for the answers; whatever has none then fails.
        await server.pause(timeout)
        await pipeline.close()
        await reader.value
        if let (number, error) = refused, ledger.open.contains(number) { end(number, error, server) }
      } catch {
        trace.note { "pipeline \(pipelineNumber) was not opened: \(error)" }
        check(notDelivered: error, "pipeline \(pipelineNumber)")
      }
    }
  }

  private func settle(_ future: AppendFuture, _ server: SimulatedServer) async {
    let number = future.request.term
    do {
      let response = try await future.response
      expect(response.term == number &* 31, number)
      end(number, .answered, server)
    } catch {
      end(number, error, server)
    }
  }

  private func check(notDelivered error: any Error, _ what: String) {
    guard let error = error as? TransportError else { return report("\(what): \(error)") }
    if error.delivery != .notDelivered { report("\(what) was not opened, but: \(error)") }
  }

  // MARK: Snapshots

  func snapshot(
    from server: SimulatedServer, to target: Int, size wantedSize: Int? = nil,
    cancellingAfter cancelling: Int64? = nil
  ) {
    guard let transport = server.transport else { return }
    let number = ledger.begin(
      .snapshot, from: server.name, to: target, wanting: SimulatedServer.id(target), due: nil)
    let longest: Int64 = network.largestSegment < 1_000 ? 60_000_000 : 1_500_000_000
    let size = wantedSize ?? (random.happens(0.05) ? 0 : Int(random.duration(upTo: longest) / 1_000))
    let content = SnapshotContent(number: number, size: size, isMonotonous: number % 2 == 0)
    let behaviour: SourceBehaviour =
      switch isCalm ? 9 : random.next(in: 0...9) {
      case 0 where size > 0: .endsAfter(random.next(in: 0...size - 1))
      case 1 where size > 0: .throwsAfter(random.next(in: 0...size - 1))
      case 2...4: .inMemory
      default: .whole
      }
    ledger.update(number) { $0.hasBadSource = behaviour.isBad }
    let source: SnapshotSource =
      if case .inMemory = behaviour {
        SnapshotSource(content.bytes(size, from: 0))
      } else {
        SnapshotSource(
          SimulatedSource(
            content: content, behaviour: behaviour, server: server, random: random.split(),
            longestPause: random.happens(0.5) ? 50_000_000 : 0))
      }
    trace.note {
      "\(server.name) sends snapshot #\(number) of \(size) bytes (\(behaviour)) to n\(target + 1)"
    }
    let task = server.start("snapshot #\(number)") { [self] in
      do {
        let response = try await transport.installSnapshot(
          id: SimulatedServer.id(target), target: SimulatedServer.address(target),
          InstallSnapshotRequest(
            snapshotVersion: 1, term: number, lastLogIndex: number % 2, size: Int64(size)),
          data: source)
        expect(response.term == number &* 31, number)
        end(number, .answered, server)
      } catch {
        end(number, error, server)
      }
    }
    if let cancelling { cancel(task, number, server, after: cancelling) }
  }

  // MARK: Ends

  private func expect(_ isRight: Bool, _ number: UInt64) {
    if !isRight { report("#\(number) got the answer to something else") }
  }

  private func end(_ number: UInt64, _ error: any Error, _ server: SimulatedServer) {
    guard let error = error as? TransportError else { return report("#\(number) ended with \(error)") }
    end(number, .failed(error), server)
  }

  private func end(_ number: UInt64, _ ending: SimulatedOperation.Ending, _ server: SimulatedServer) {
    trace.note {
      switch ending {
      case .answered: "\(server.name) has the answer to #\(number)"
      case .failed(let error): "\(server.name) fails with #\(number): \(error)"
      }
    }
    time.note(number)
    ledger.end(number, ending)
  }
}
