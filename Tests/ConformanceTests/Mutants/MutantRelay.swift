import ConformanceSuite
import NIOCore
import NIOPosix

/// A relay that turns a healthy peer into a mutant.
final class MutantRelay: Sendable {
  private let channel: any Channel

  var port: Int { channel.localAddress?.port ?? 0 }

  private init(channel: any Channel) {
    self.channel = channel
  }

  /// Relays to a port of this machine. Who connects is the suite where the mutant is a server, and the peer where it is a
  /// client.
  static func start(_ mutant: Mutant, to port: Int) async throws -> MutantRelay {
    let shared = Mutant.SharedCounts()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { accepted in
        let pair = NIOLoopBound(RelayedPair(mutant, shared), eventLoop: accepted.eventLoop)
        return accepted.eventLoop.makeCompletedFuture {
          try accepted.pipeline.syncOperations.addHandler(
            RelayHandler(pair.value, isSuite: mutant.subject == .server))
        }.flatMap {
          // On the same event loop: the pair needs no lock.
          ClientBootstrap(group: accepted.eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { dialled in
              dialled.eventLoop.makeCompletedFuture {
                try dialled.pipeline.syncOperations.addHandler(
                  RelayHandler(pair.value, isSuite: mutant.subject == .client))
              }
            }
            .connect(host: "127.0.0.1", port: port)
            .map { _ in }
        }
      }
      .bind(host: "127.0.0.1", port: 0)
      .get()
    return MutantRelay(channel: channel)
  }

  func close() async {
    try? await channel.close()
  }
}

/// Both sides of a relayed connection.
private final class RelayedPair {
  private let mutant: Mutant
  private var memory: Mutant.Memory
  private var suite: ChannelHandlerContext?
  private var peer: ChannelHandlerContext?
  private var toPeer = FrameCutter()
  private var toSuite = FrameCutter()
  /// What came for a side that is not connected yet.
  private var waiting: [(Bool, [UInt8])] = []
  private var accepted: Set<Bool> = []
  private var hasSentPreface = false

  init(_ mutant: Mutant, _ shared: Mutant.SharedCounts) {
    self.mutant = mutant
    memory = Mutant.Memory(shared: shared)
    toPeer.swallowsOversized = mutant.manners.swallowsOversized
  }

  func joined(_ context: ChannelHandlerContext, isSuite: Bool) {
    if isSuite { suite = context } else { peer = context }
    if isSuite, !mutant.manners.greeting.isEmpty { write(mutant.manners.greeting, toSuite: true) }
    guard suite != nil, peer != nil else { return }
    let early = waiting
    waiting = []
    for (goesToSuite, bytes) in early { write(bytes, toSuite: goesToSuite) }
  }

  private func write(_ bytes: [UInt8], toSuite: Bool) {
    guard !bytes.isEmpty else { return }
    guard let context = toSuite ? suite : peer else { return waiting.append((toSuite, bytes)) }
    context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
  }

  func received(_ bytes: [UInt8], fromSuite: Bool) {
    let manners = mutant.manners
    if manners.isTransparent { return write(bytes, toSuite: !fromSuite) }
    if fromSuite {
      if manners.losesShortSegments, bytes.count < ProbeFrame.headerLength { return }
      toPeer.append(bytes)
      while let item = toPeer.next() { take(item, .toPeer) }
      if toPeer.hasForwardablePart { write(toPeer.takePart(), toSuite: false) }
    } else {
      toSuite.append(bytes)
      while let item = toSuite.next() { take(item, .toSuite) }
    }
  }

  private func take(_ item: FrameCutter.Item, _ direction: Mutant.Direction) {
    let goesToSuite = direction == .toSuite
    let manners = mutant.manners
    switch item {
    case .preface(let bytes):
      if goesToSuite {
        if !hasSentPreface { write(manners.repeatsPreface ? bytes + bytes : bytes, toSuite: true) }
        hasSentPreface = true
      } else {
        write(bytes, toSuite: false)
        if manners.answersPreface {
          write(bytes, toSuite: true)
          hasSentPreface = true
        }
      }
    case .raw(let bytes):
      if goesToSuite { return write(bytes, toSuite: true) }
      if manners.isDeafToNonsense { return }
      if !manners.answerToNonsense.isEmpty { write(manners.answerToNonsense, toSuite: true) }
      write(bytes, toSuite: false)
    case .frame(let frame, let bytes):
      take(frame, bytes, direction)
    }
  }

  private func take(_ frame: ProbeFrame, _ bytes: [UInt8], _ direction: Mutant.Direction) {
    if frame.type == FrameKind.hello {
      if direction == .toPeer {
        memory.hello = ProbeHello(decoding: frame.payload)
      } else {
        memory.peerHello = ProbeHello(decoding: frame.payload)
      }
    }
    if let traffic = mutant.rule(&memory, direction, frame) {
      for frame in traffic.toPeer { write(encoded(frame, .toPeer), toSuite: false) }
      for frame in traffic.toSuite { write(encoded(frame, .toSuite), toSuite: true) }
    } else if direction == .toPeer ? mutant.manners.trustsChecksums : changesAllFrames {
      write(encoded(frame, direction), toSuite: direction == .toSuite)
    } else {
      write(bytes, toSuite: direction == .toSuite)
    }
    if frame.type == FrameKind.welcome, frame.code == 0, agreesOnChecksums {
      if direction == .toPeer { toPeer.isChecksummed = true } else { toSuite.isChecksummed = true }
    }
    if frame.type == FrameKind.welcome, frame.code == 0 { accepted.insert(direction == .toSuite) }
  }

  private var changesAllFrames: Bool { mutant.manners.breaksChecksums || mutant.manners.sendsStrayChecksums }

  private var agreesOnChecksums: Bool {
    (memory.hello?.features ?? 0) & (memory.peerHello?.features ?? 0) & ProbeHello.crc32 != 0
  }

  private func encoded(_ frame: ProbeFrame, _ direction: Mutant.Direction) -> [UInt8] {
    let isStray = direction == .toSuite && mutant.manners.sendsStrayChecksums
    let isChecksummed = accepted.contains(direction == .toSuite) && (agreesOnChecksums || isStray)
    var bytes = frame.encoded(checksummed: isChecksummed)
    if isChecksummed, direction == .toSuite, mutant.manners.breaksChecksums { bytes[bytes.count - 1] ^= 1 }
    return bytes
  }

  func canWrite(_ isWritable: Bool, toSuite: Bool) {
    guard mutant.manners.readsInTurns, toSuite else { return }
    _ = suite?.channel.setOption(.autoRead, value: isWritable)
  }

  func ended(fromSuite: Bool, isAbrupt: Bool) {
    let manners = mutant.manners
    if fromSuite ? manners.ignoresEndOfInput : manners.keepsOpen { return }
    if fromSuite { write(toPeer.takePart(), toSuite: false) }
    if isAbrupt {
      suite?.close(promise: nil)
      peer?.close(promise: nil)
    } else if let context = fromSuite ? peer : suite {
      context.close(mode: .output, promise: nil)
    }
  }

  func left(isSuite: Bool) {
    if isSuite {
      suite = nil
      peer?.close(promise: nil)
    } else {
      peer = nil
      if !mutant.manners.keepsOpen { suite?.close(promise: nil) }
    }
  }
}

private final class RelayHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let pair: RelayedPair
  private let isSuite: Bool

  init(_ pair: RelayedPair, isSuite: Bool) {
    self.pair = pair
    self.isSuite = isSuite
  }

  func channelActive(context: ChannelHandlerContext) {
    pair.joined(context, isSuite: isSuite)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    pair.received(Array(unwrapInboundIn(data).readableBytesView), fromSuite: isSuite)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    pair.canWrite(context.channel.isWritable, toSuite: isSuite)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      pair.ended(fromSuite: isSuite, isAbrupt: false)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    pair.left(isSuite: isSuite)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    pair.ended(fromSuite: isSuite, isAbrupt: true)
    context.close(promise: nil)
  }
}
