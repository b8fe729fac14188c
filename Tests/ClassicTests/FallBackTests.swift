import NIOCore
import RaftTransport
import RaftTransportTesting
import RaftWire
import Synchronization
import Testing

/// How a dialler finds out what a peer speaks, and what it keeps of it.
@Suite(.serialized) struct FallBackTests {
  // R-CLS-20
  @Test("a peer that speaks the old protocol only is called with it, with every kind of call")
  func everyCall() async throws {
    let caller = try await listen("caller") { $0.maxRPCsInFlight = 16 }
    for kind in 0..<5 {
      let callee = try await listen(ServerID("callee-\(kind)"), .classicOnly)
      try await closing(callee) {
        try await withEchoConsumer(callee) { _ in
          let (id, address) = (ServerID("callee-\(kind)"), callee.localAddress)
          // Each is the first that the caller hears of its peer.
          switch kind {
          case 0: try await caller.proveCall(to: id, at: address)
          case 1:
            let vote = try await caller.requestVote(id: id, target: address, RequestVoteRequest(term: 3))
            #expect(vote.granted)
          case 2:
            let vote = try await caller.requestPreVote(
              id: id, target: address, RequestPreVoteRequest(term: 3))
            #expect(vote.granted)
          case 3:
            let body = ByteBuffer(repeating: 3, count: 1_000_000)
            let answer = try await caller.installSnapshot(
              id: id, target: address, InstallSnapshotRequest(term: 3, size: 1_000_000),
              data: SnapshotSource(body))
            #expect(answer.success)
          default:
            try await caller.withAppendPipeline(id: id, target: address) { pipeline in
              _ = try await pipeline.appendEntries(numbered(4))
              let answers = pipeline.consumer.makeAsyncIterator()
              #expect(try await answers.next()?.response.lastLog == 5)
            }
          }
          try await caller.proveCall(to: id, at: address, number: 7)
          #expect(await callee.protocols().allSatisfy { $0 == .classic })
        }
      }
    }
    await caller.close()
  }

  @Test("two transports that prefer RMUX speak it with each other")
  func rmuxIsPreferred() async throws {
    let caller = try await listen("caller")
    let callee = try await listen("callee")
    try await closing(caller, callee) {
      try await withEchoConsumer(callee) { _ in
        try await caller.proveCall(to: "callee", at: callee.localAddress)
        #expect(await caller.protocols() == [.rmux])
        #expect(caller.peersThatSpokeRMUX.ids == ["callee"])
        #expect(caller.peersThatSpokeRMUX.addresses == [callee.localAddress])
      }
    }
  }

  // R-CLS-21
  @Test("an old peer that was replaced by a new one is called with RMUX when its time is up")
  func returnsToRMUX() async throws {
    let caller = try await listen("caller") { $0.oldPeers.memory = .milliseconds(1) }
    let old = try await listen("callee", .classicOnly)
    let address = old.localAddress
    try await withEchoConsumer(old) { _ in try await caller.proveCall(to: "callee", at: address) }
    #expect(await caller.protocols().allSatisfy { $0 == .classic })
    await old.close()
    let new = try await listenAgain("callee", on: address)
    try await closing(caller, new) {
      try await withEchoConsumer(new) { _ in
        try await caller.proveCall(to: "callee", at: address)
        try await eventually("nothing of the old protocol is left") { await caller.protocols() == [.rmux] }
      }
    }
  }

  // R-CLS-21
  @Test("an old peer that is replaced while it is remembered is found out by the first call that fails")
  func failureLooksAgain() async throws {
    let caller = try await listen("caller") { $0.oldPeers.memory = .seconds(3_600) }
    let old = try await listen("callee", .classicOnly)
    let address = old.localAddress
    try await withEchoConsumer(old) { _ in try await caller.proveCall(to: "callee", at: address) }
    await old.close()
    _ = try await failure("a call to nobody") { try await caller.proveCall(to: "callee", at: address) }
    let new = try await listenAgain("callee", .rmuxOnly, on: address)
    try await closing(caller, new) {
      try await withEchoConsumer(new) { _ in
        try await eventually("the new peer is reached") {
          (try? await caller.proveCall(to: "callee", at: address)) != nil
        }
        #expect(await caller.protocols() == [.rmux])
      }
    }
  }

  // R-CLS-22
  @Test("a peer that has spoken RMUX is not called with the old protocol when it closes in silence")
  func neverFallsBackFromRMUX() async throws {
    let caller = try await listen("caller")
    let new = try await listen("callee", .rmuxOnly)
    let address = new.localAddress
    try await withEchoConsumer(new) { _ in try await caller.proveCall(to: "callee", at: address) }
    await new.close()
    try await eventually("the caller knows of the end") { await caller.protocols().isEmpty }
    let old = try await listenAgain("callee", .classicOnly, on: address)
    try await closing(caller, old) {
      try await withEchoConsumer(old) { echo in
        for _ in 0..<5 {
          let error = try await failure("a call that would need the old protocol") {
            try await caller.proveCall(to: "callee", at: address)
          }
          #expect(error.delivery == .notDelivered)
        }
        #expect(echo.counts.appendEntries == 0)
        // The user knows better.
        caller.allowFallBack(to: "callee", at: address)
        try await caller.proveCall(to: "callee", at: address)
        #expect(echo.counts.appendEntries == 1)
      }
    }
  }

  // R-CLS-23
  @Test("a peer that the user knows to speak RMUX is never called with the old protocol")
  func givenPeers() async throws {
    let caller = try await listen("caller") { $0.oldPeers.knownToSpeakRMUX = .init(ids: ["callee"]) }
    let callee = try await listen("callee", .classicOnly)
    try await closing(caller, callee) {
      let error = try await failure("a call") {
        try await caller.proveCall(to: "callee", at: callee.localAddress)
      }
      #expect(error.code == .unreachable)
      #expect(error.delivery == .notDelivered)
      #expect(await callee.classicConnections().isEmpty)
    }
  }

  // R-CLS-20
  @Test("a host that closes everything in silence is no old peer: later calls try RMUX again")
  func closesEverything() async throws {
    let host = try await RawListener.start()
    let caller = try await listen("caller")
    let firstBytes = FirstBytes()
    let serving = Task {
      await withDiscardingTaskGroup { group in
        while let socket = try? await host.next() {
          group.addTask {
            // A connection on which nothing is said is only looked at.
            if let first = await socket.next()?.readableBytesView.first { firstBytes.note(first) }
            await socket.close()
          }
        }
      }
    }
    try await closing(caller) {
      func call() async throws {
        let error = try await failure("a call") { try await caller.proveCall(to: "host", at: host.address) }
        #expect(error.code == .connectionLost)
        #expect(error.delivery == .unknown, "a handler of an old peer may have seen the request")
      }
      try await call()
      #expect(firstBytes.all == [0xAC, 0xAC, 0x00])
      try await eventually("RMUX is tried again") {
        try await call()
        return firstBytes.all.dropFirst(3).contains(0xAC)
      }
    }
    await host.close()
    await serving.value
  }

  // R-CLS-26
  @Test("a host that closes connections as they come is sent no request: calls are known not to be delivered")
  func closesAtOnce() async throws {
    let host = try await RawListener.start(closesAtOnce: true)
    let caller = try await listen("caller")
    try await closing(caller) {
      let error = try await failure("a call") { try await caller.proveCall(to: "host", at: host.address) }
      #expect(error.code == .unreachable)
      #expect(error.delivery == .notDelivered)
    }
    await host.close()
  }

  // R-CLS-27
  @Test(
    "a server of RMUX that closes one connection in silence, as one does that is full, is not called the old way"
  )
  func oneSilentClose() async throws {
    let host = try await RawListener.start()
    let new = try await listen("callee")
    let caller = try await listen("caller")
    // The first connection is closed; what comes behind it goes to the server.
    let relaying = Task {
      let first = try await host.next()
      let preface = await first.next()
      await first.close()
      #expect(preface?.readableBytesView.first == 0xAC)
      await withDiscardingTaskGroup { group in
        while let socket = try? await host.next() {
          group.addTask {
            guard let server = try? await RawSocket.connect(to: new.localAddress) else { return }
            async let there: Void = Self.relay(socket, server)
            await Self.relay(server, socket)
            await there
          }
        }
      }
    }
    try await closing(caller, new) {
      try await withEchoConsumer(new) { _ in
        try await caller.proveCall(to: "callee", at: host.address)
        try await eventually("nothing of the old protocol is left") { await caller.protocols() == [.rmux] }
      }
    }
    await host.close()
    _ = try await relaying.value
  }

  private static func relay(_ from: RawSocket, _ to: RawSocket) async {
    while let bytes = await from.next() { await to.send(bytes) }
    await to.close()
  }

  // R-CLS-24
  @Test("a dialler of one protocol does not try the other", arguments: [true, false])
  func oneProtocolOnly(isRMUXOnly: Bool) async throws {
    let caller = try await listen("caller", isRMUXOnly ? .rmuxOnly : .classicOnly)
    let callee = try await listen("callee", isRMUXOnly ? .classicOnly : .rmuxOnly)
    try await closing(caller, callee) {
      try await withEchoConsumer(callee) { echo in
        let error = try await failure("a call") {
          try await caller.proveCall(to: "callee", at: callee.localAddress)
        }
        #expect(error.delivery == (isRMUXOnly ? .notDelivered : .unknown))
        #expect(echo.counts.appendEntries == 0)
      }
    }
  }

  // R-CLS-18
  @Test("a pre-vote to a peer that does not know it fails with the text that lets elections go on")
  func preVote() async throws {
    let host = try await RawListener.start()
    let caller = try await listen("caller", .classicOnly)
    // An old peer: it answers votes and closes on anything else.
    let serving = Task {
      await withDiscardingTaskGroup { group in
        while let socket = try? await host.next() {
          group.addTask {
            while let first = await socket.next() {
              guard first.readableBytesView.first == 1,
                let answer = try? bytes(answering: RequestVoteResponse(granted: true))
              else { return await socket.close() }
              await socket.send(answer)
            }
          }
        }
      }
    }
    try await closing(caller) {
      // There is an idle connection, which must not be taken: its end would say nothing.
      let vote = try await caller.requestVote(id: "host", target: host.address, RequestVoteRequest(term: 2))
      #expect(vote.granted)
      let error = try await failure("a pre-vote") {
        try await caller.requestPreVote(id: "host", target: host.address, RequestPreVoteRequest(term: 2))
      }
      #expect(error.code == .remote)
      #expect(error.remote?.text == "unexpected command")
      #expect(error.delivery == .unknown, "it might have gone while it handled the request")
      #expect(await caller.classicConnections().count == 1, "the idle connection is still there")
    }
    await host.close()
    serving.cancel()
    await serving.value
  }

  @Test("a pre-vote to a peer that is not there is no grant")
  func preVoteToNobody() async throws {
    let caller = try await listen("caller", .classicOnly)
    try await closing(caller) {
      let error = try await failure("a pre-vote") {
        try await caller.requestPreVote(id: "nobody", target: "127.0.0.1:1", RequestPreVoteRequest(term: 2))
      }
      #expect(error.code == .unreachable)
      #expect(error.remote == nil)
    }
  }
}

/// The first byte of each connection on which something was said, in their order.
private final class FirstBytes: Sendable {
  private let bytes = Mutex<[UInt8]>([])

  var all: [UInt8] { bytes.withLock { $0 } }

  func note(_ byte: UInt8) { bytes.withLock { $0.append(byte) } }
}
