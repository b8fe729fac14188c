// swift-format-ignore-file
/// `Spec/tables/requirements.json` as lines of fields with tabs between them. Written by SpecTests with
/// `RAFT_MUX_RECORD_SPEC`, and held to the table by them.
enum RequirementTable {
  static let lines = #"""
  R-CLS-1	classic.md	MUST	yes	An endpoint that serves several protocols on a port MUST choose by the first byte of a connection, as the table has it.
  R-CLS-2	classic.md	MUST NOT	yes	A server MUST NOT handle a request of a connection before it has answered the one before it.
  R-CLS-3	classic.md	MUST	yes	An endpoint that serves one of the two protocols only MUST close a connection of the other one without sending a byte.
  R-CLS-4	classic.md	MUST	yes	A server MUST take requests of every wire profile, whatever profile it answers in.
  R-CLS-5	classic.md	SHOULD	no	A server SHOULD hand a heartbeat to a handler that no other request can hold up.
  R-CLS-6	classic.md	MUST	yes	A server MUST close a connection without a further byte when it comes to a request that it cannot read or whose type it does not know.
  R-CLS-7	classic.md	MUST	yes	A server MUST answer what a client asked before it half-closed the connection.
  R-CLS-8	classic.md	MUST	yes	A server MUST read all bytes of a snapshot before it sends the answer, also where it has no use for them.
  R-CLS-9	classic.md	MUST	no	A server MUST bound the bytes of requests and snapshots that it holds for all classic connections together.
  R-CLS-10	classic.md	SHOULD	yes	A server SHOULD close a connection on which no byte moves for a minute while a request, a snapshot or an answer is on its way.
  R-CLS-11	classic.md	SHOULD	yes	A server that closes its streams without going away SHOULD answer one more request on each connection and close it then.
  R-CLS-12	classic.md	MUST NOT	yes	A server MUST NOT close a connection for being silent between requests.
  R-CLS-13	classic.md	MUST NOT	no	A server MUST NOT let a handler take a snapshot for whole whose connection ended before the last of its bytes.
  R-CLS-14	classic.md	MUST NOT	yes	A client MUST NOT send a request on a connection on which an earlier call has failed without an answer.
  R-CLS-15	classic.md	MUST NOT	yes	A client MUST NOT use a connection for anything else once a pipeline has used it.
  R-CLS-16	classic.md	MUST NOT	yes	A client MUST NOT send the last byte of a snapshot before it knows that its source has given exactly as many bytes as were announced.
  R-CLS-17	classic.md	MUST	no	A client that closes its streams MUST close idle connections at once and the others when their calls have ended.
  R-CLS-18	classic.md	SHOULD	no	A client SHOULD report the error text `unexpected command` where a peer accepted a new connection and closed it without a byte when it was sent a pre-vote.
  R-CLS-19	classic.md	SHOULD	yes	A server that stands in for one without pre-votes SHOULD answer them with the error text `unexpected command`.
  R-CLS-20	classic.md	MUST NOT	yes	A dialler MUST NOT take a peer for an old one unless it closed an RMUX connection without a byte and then answered a call of the classic protocol.
  R-CLS-21	classic.md	MUST	no	A dialler MUST try RMUX again with an old peer after a while, and after a call of the classic protocol that was not answered.
  R-CLS-22	classic.md	MUST NOT	yes	A dialler MUST NOT call a peer with the classic protocol, unless its user says so, when that peer has spoken RMUX on a connection that shows who it is as well as one for calls has to.
  R-CLS-23	classic.md	SHOULD	no	An implementation SHOULD let its user keep the set of peers that have spoken RMUX, and give it to the next start of the server.
  R-CLS-24	classic.md	MUST NOT	yes	An endpoint MUST NOT dial the classic protocol where its configuration asks for encryption or for authentication of its peers.
  R-CLS-25	classic.md	MUST NOT	yes	An endpoint MUST NOT serve the classic protocol where its configuration asks for encryption or for authentication of its peers.
  R-CLS-26	classic.md	SHOULD NOT	no	A dialler SHOULD NOT send a request of the classic protocol to a peer that has not proved to be an old one before a connection on which it said nothing has stayed open for a while.
  R-CLS-27	classic.md	SHOULD NOT	no	A dialler SHOULD NOT take one connection of RMUX that was closed without a byte for a sign of an old peer, but a second one behind it.
  R-CLS-28	classic.md	SHOULD	yes	A server SHOULD close a connection that has not brought one whole request in the time of a handshake.
  R-DRN-1	drain.md	MUST	yes	A draining endpoint MUST first send GOAWAY with the last id 0xFFFFFFFFFFFFFFFF and the code `shutdown`.
  R-DRN-2	drain.md	MUST	yes	A draining endpoint MUST send a second GOAWAY whose last id is the greatest id among the peer's streams that it has received, or 0 where there is none.
  R-DRN-3	drain.md	SHOULD	yes	A draining endpoint SHOULD send the second GOAWAY when a PING sent behind the first was answered, or after the greater of 50 ms and one round-trip time.
  R-DRN-4	drain.md	MUST	yes	An endpoint that has sent a last id MUST answer openings above it by RESET and STOP with `refused`.
  R-DRN-5	drain.md	MUST NOT	yes	An endpoint MUST NOT open a stream on a connection on which it has received GOAWAY.
  R-DRN-6	drain.md	MUST NOT	yes	A draining endpoint MUST NOT open a stream on the connection that it drains.
  R-DRN-7	drain.md	MUST	yes	An endpoint MUST go on serving the streams at or below the last id until they have ended.
  R-DRN-8	drain.md	MUST NOT	yes	The last id of a GOAWAY MUST NOT be above that of an earlier one.
  R-DRN-9	drain.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a GOAWAY whose last id is above that of an earlier one.
  R-DRN-10	drain.md	MUST	yes	A draining endpoint MUST half-close the connection when no stream is left.
  R-DRN-11	drain.md	MUST	no	A draining endpoint MUST bound the time of a drain, and end the connection with `shutdown` after that.
  R-DRN-12	drain.md	MUST	no	An endpoint MUST report its own streams above the peer's last id, and those answered by RESET with `refused`, as certainly not processed.
  R-DRN-13	drain.md	MUST	no	An endpoint MUST report a stream whose opening frame was never handed to the transport as certainly not delivered.
  R-DRN-14	drain.md	MUST	no	An endpoint MUST report the fate of every other request without an answer as unknown.
  R-DRN-15	drain.md	MUST NOT	yes	An endpoint MUST NOT repeat a request by itself, on this or another connection.
  R-DRN-16	drain.md	MUST NOT	yes	An endpoint MUST NOT answer with `refused` when any byte of the stream was handed to a handler.
  R-DRN-17	drain.md	MUST	yes	An endpoint that ends an established connection because of an error MUST send GOAWAY with the code of the error as its last frame, as far as the transport takes it.
  R-DRN-18	drain.md	MUST	yes	An endpoint MUST half-close the connection after it has sent a GOAWAY with a code other than `shutdown`.
  R-DRN-19	drain.md	MUST	yes	An endpoint MUST treat the end of input without a GOAWAY before it, or with streams that have not ended, as an abrupt end.
  R-DRN-20	drain.md	SHOULD	no	An endpoint that has sent its last frame SHOULD read and discard what arrives, for a bounded time, until the peer's end of input, and then close.
  R-DRN-21	drain.md	MAY	yes	An endpoint MAY leave its own streams above the last id that it has received without FIN and RESET.
  R-DRN-22	drain.md	MUST NOT	yes	An endpoint MUST NOT wait for the peer's streams above the last id that it sent, when it waits until no stream is left.
  R-DRN-23	drain.md	MAY	yes	An endpoint that has received a last id MAY half-close the connection when no stream is left.
  R-DRN-24	drain.md	MUST	yes	An endpoint MUST end all streams of the connection when it receives a GOAWAY with a code other than `shutdown`.
  R-DRN-25	drain.md	MAY	yes	A draining endpoint MAY end a stream of the peer on which it has answered a request, by STOP with `shutdown` and FIN behind its last answer.
  R-ERR-1	errors.md	MUST NOT	yes	An endpoint MUST NOT end a connection because of an error whose scope is one stream.
  R-ERR-2	errors.md	MUST	yes	An endpoint MUST treat an unknown code in RESET or STOP like `cancelled`.
  R-ERR-3	errors.md	MUST	yes	An endpoint MUST treat an unknown code in GOAWAY, or in a refusing WELCOME, like `internalError`.
  R-ERR-4	errors.md	MUST NOT	yes	An endpoint MUST NOT send the code 0 in RESET, STOP or GOAWAY.
  R-ERR-5	errors.md	MUST	yes	An endpoint MUST treat the code 0 in RESET or STOP like `cancelled`, and in GOAWAY like `shutdown`.
  R-ERR-6	errors.md	SHOULD	yes	The text of a GOAWAY or WELCOME SHOULD say in words what was wrong, and which rule or budget it was.
  R-ERR-7	errors.md	MUST NOT	no	An endpoint MUST NOT change its behaviour by the text of a GOAWAY or WELCOME.
  R-ERR-8	errors.md	MUST NOT	yes	An endpoint MUST NOT end the connection because of an error in the payload of a stream.
  R-ERR-9	errors.md	MUST	yes	Whatever a peer sends, an endpoint MUST answer it by one of the outcomes of this specification, and neither crash nor hang nor take memory without bound.
  R-FLW-1	flow-control.md	MUST NOT	yes	A sender MUST NOT send more stream bytes on a half than the greatest limit that it has received for it.
  R-FLW-2	flow-control.md	MUST	yes	A receiver MUST end the connection with `flowControl` when the stream bytes of a half exceed the limit that it has announced.
  R-FLW-3	flow-control.md	MUST NOT	yes	A receiver MUST NOT announce a limit that is smaller than one it has announced before on that half.
  R-FLW-4	flow-control.md	MUST	yes	A sender MUST ignore a CREDIT frame whose limit is not greater than the one it holds.
  R-FLW-5	flow-control.md	MUST NOT	yes	An endpoint MUST NOT make FIN, RESET, STOP, OPEN or any control frame wait for credit.
  R-FLW-6	flow-control.md	MUST	yes	A receiver MUST grant further credit on a half in state open once a quarter of its window or more has been freed since its last grant.
  R-FLW-7	flow-control.md	MUST NOT	yes	A receiver MUST NOT send CREDIT on a half whose FIN or RESET it has received, or on which it has sent STOP.
  R-FLW-8	flow-control.md	MUST	no	A receiver MUST count DATA that it drops on a half that it has stopped as consumed.
  R-FLW-9	flow-control.md	SHOULD	no	A receiver SHOULD send only the newest limit of a half when several are waiting to be sent.
  R-FLW-10	flow-control.md	MUST	no	A receiver MUST count the bytes of a message as consumed only when the message's handler has answered, or the bytes of a body when its reader has taken them.
  R-FLW-11	flow-control.md	MUST	yes	The assembly budget of a connection MUST be at least the largest message that the receiver accepts.
  R-FLW-12	flow-control.md	MUST	no	At most one half of a connection at a time MUST be granted credit for absorbed bytes; it has the *assembly turn*.
  R-FLW-13	flow-control.md	MUST	no	The assembly turn MUST be given in the order in which halves asked for it.
  R-FLW-14	flow-control.md	MUST	no	A half MUST keep the assembly turn until its message is complete or the half has ended.
  R-FLW-15	flow-control.md	MUST	no	A receiver MUST grant credit for absorbed bytes only as far as all absorbed bytes of the connection, those of complete and not yet consumed messages included, stay within the assembly budget.
  R-FLW-16	flow-control.md	MUST	yes	A receiver MUST accept a message of up to its maximum message size on each stream, whatever the window is, while other streams of the connection hold incomplete messages.
  R-FLW-17	flow-control.md	MUST	yes	A receiver MUST send STOP with `messageTooLarge` on a half whose message exceeds the maximum message size.
  R-FLW-18	flow-control.md	MUST NOT	yes	A sender MUST NOT open more streams of a class than the greatest total that it has received for it.
  R-FLW-19	flow-control.md	MUST	yes	A receiver MUST end the connection with `streamLimit` when a peer opens more streams of a class than the total that it has announced.
  R-FLW-20	flow-control.md	MUST NOT	yes	A receiver MUST NOT announce a total that is smaller than one it has announced before.
  R-FLW-21	flow-control.md	MUST	yes	A sender MUST ignore a STREAMS frame whose total is not greater than the one it holds.
  R-FLW-22	flow-control.md	MUST	yes	A receiver MUST give back a stream's place only after both halves have ended and its handler has let go of it.
  R-FLW-23	flow-control.md	MUST	yes	A receiver MUST send STREAMS once a quarter of the class's initial stream credit, and at least one place, has been freed since its last grant.
  R-FLW-24	flow-control.md	MUST	yes	A stream that was refused with `refused`, `unknownGroup` or `unknownEncoding` MUST count as one of its class's streams.
  R-FLW-25	flow-control.md	MUST	no	A receiver MUST bound the sum of the windows of all live streams of a connection by its receive budget.
  R-FLW-26	flow-control.md	MUST	yes	A receiver MUST answer an opening whose initial window does not fit into its receive budget by RESET and STOP with `refused`.
  R-FLW-27	flow-control.md	MUST NOT	yes	A receiver MUST NOT refuse a stream of class election for lack of receive budget while the peer is within its stream credit.
  R-FLW-28	flow-control.md	MUST NOT	no	A receiver MUST NOT let the windows of a connection's streams grow beyond what its receive budget has left.
  R-FLW-29	flow-control.md	MUST	no	A half whose incomplete message holds three quarters of its window or more MUST have asked for the assembly turn.
  R-FLW-30	flow-control.md	MUST NOT	no	An endpoint MUST NOT open a stream of class append or snapshot whose own receive window does not fit into its receive budget.
  R-FLW-31	flow-control.md	SHOULD	no	A receiver SHOULD size the windows of the classes append and snapshot by this formula at the end of each epoch.
  R-FLW-32	flow-control.md	MUST NOT	no	A receiver MUST NOT size a window by an epoch in which a DATA frame came without MORE.
  R-FLW-33	flow-control.md	MUST	no	A receiver MUST use at most half of its receive budget for what windows have grown beyond their initial size.
  R-FLW-34	flow-control.md	MUST	no	A receiver whose window shrinks MUST keep the credit that it gave, and count it against its receive budget until it is used up.
  R-FLW-35	flow-control.md	SHOULD	no	A receiver SHOULD start a new half that says MORE with the window that the rate of the connection's last epochs asks for, but not with more than a quarter of what windows may still grow by.
  R-FLW-36	flow-control.md	MUST NOT	no	A receiver MUST NOT let the window of a stream of class election grow.
  R-FLW-37	flow-control.md	SHOULD	no	A receiver SHOULD measure the round trip at least every two seconds while it sizes windows.
  R-FLW-38	flow-control.md	SHOULD	no	A receiver SHOULD forget the round trips before the last three once a stream whose window it made smaller became slower by a quarter at least, while each of the last three is at least half as long again as the least.
  R-FRM-1	framing.md	MUST	yes	An endpoint MUST send the preface once, as the first eight bytes of its direction.
  R-FRM-2	framing.md	MUST NOT	yes	An acceptor MUST NOT send a byte before it has received the preface.
  R-FRM-3	framing.md	MUST	yes	An endpoint MUST close the connection without sending a byte in answer when the bytes received are not a prefix of the preface.
  R-FRM-4	framing.md	SHOULD	no	An endpoint SHOULD compare the preface byte by byte as it arrives, and act on the first difference instead of waiting for eight bytes.
  R-FRM-5	framing.md	MUST NOT	yes	A sender MUST NOT send a frame whose Length is above 65,536 or above the maximum frame payload that the receiver announced in its HELLO.
  R-FRM-6	framing.md	MUST	yes	A receiver MUST end the connection with `frameSize` when Length is above the maximum frame payload that it announced.
  R-FRM-7	framing.md	MUST	no	A receiver MUST decide about a Length that is too large from the header alone, without waiting for payload or reserving memory for it.
  R-FRM-8	framing.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a frame whose type is not in this table.
  R-FRM-9	framing.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a frame of a type from 0x40 to 0x7F that no negotiated feature defines.
  R-FRM-10	framing.md	MUST	yes	Behind the handshake, a receiver MUST skip a frame of a type from 0x80 to 0xFF whose payload is at most 4,096 bytes, whatever its flags, class, encoding, stream and payload are.
  R-FRM-11	framing.md	MUST	yes	A receiver MUST end the connection with `excessiveLoad` on an ignorable frame whose payload is larger than 4,096 bytes.
  R-FRM-12	framing.md	MUST	yes	Each endpoint MUST send exactly one frame of a type from 0x80 to 0xFF, with a payload of 0 to 32 bytes, after the two WELCOMEs and before its first DATA frame.
  R-FRM-13	framing.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a HELLO, AUTH, WELCOME, STREAMS, PING, PONG or GOAWAY frame whose Stream is not 0.
  R-FRM-14	framing.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a DATA, CREDIT, RESET or STOP frame whose Stream is 0.
  R-FRM-15	framing.md	MUST	yes	A receiver MUST end the connection with `frameSize` on a CREDIT, STREAMS, PING or PONG frame whose Length is not 8, and on a RESET or STOP frame whose Length is not 4.
  R-FRM-16	framing.md	MUST	yes	A receiver MUST end the connection with `frameSize` on a GOAWAY frame whose Length is not 14 plus the length of its text, or whose text is longer than 512 bytes.
  R-FRM-17	framing.md	MUST	yes	A sender MUST set a flag bit only in a DATA frame, and only one of the three bits above.
  R-FRM-18	framing.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a flag bit that the table does not define for the frame's type.
  R-FRM-19	framing.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a Class other than 0 in a frame that is neither DATA with OPEN nor STREAMS.
  R-FRM-20	framing.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on an Encoding other than 0 in a frame that is not DATA with OPEN.
  R-FRM-21	framing.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a STREAMS frame whose Class is not 1, 2 or 3.
  R-FRM-22	framing.md	MUST	yes	A sender MUST set MORE in a DATA frame if and only if at least one more byte of this stream was queued behind the frame's payload when it was cut.
  R-FRM-23	framing.md	MUST NOT	yes	A sender MUST NOT set MORE together with FIN.
  R-FRM-24	framing.md	MUST	yes	The payload of a DATA frame with OPEN MUST start with a group id of 8 bytes, which counts in Length and not as stream bytes.
  R-FRM-25	framing.md	MUST	yes	A receiver MUST end the connection with `frameSize` on a DATA frame with OPEN whose Length is below 8.
  R-FRM-26	framing.md	MUST	yes	A receiver MUST give the same result however the bytes of a stream are cut into DATA frames.
  R-FRM-27	framing.md	MUST	yes	A receiver MUST give the same result however the bytes of the connection are cut into segments or reads.
  R-FRM-28	framing.md	MUST NOT	yes	A receiver MUST NOT end the connection because a text in a GOAWAY or WELCOME frame is not valid UTF-8.
  R-FRM-29	framing.md	MUST	yes	Where `crc32` was agreed on, a sender MUST put the CRC-32 of header and payload, in network byte order, behind each frame that it sends after its own accepting WELCOME.
  R-FRM-30	framing.md	MUST NOT	yes	A sender MUST NOT put a trailer behind HELLO, AUTH and WELCOME, nor behind any frame where `crc32` was not agreed on.
  R-FRM-31	framing.md	MUST	yes	Where `crc32` was agreed on, a receiver MUST end the connection with `checksumMismatch` when a trailer does not match.
  R-FRM-32	framing.md	MUST NOT	yes	Where `crc32` was agreed on, a receiver MUST NOT act on a frame, nor hand any of its payload on, before its trailer was checked.
  R-FRM-33	framing.md	MUST NOT	yes	An acceptor MUST NOT send anything but a refusal (its own preface, HELLO and a refusing WELCOME) before it has received a complete HELLO frame.
  R-HSK-1	handshake.md	MUST	yes	The first frame of each direction MUST be HELLO, and no further HELLO may follow it.
  R-HSK-2	handshake.md	MUST	yes	A dialler MUST send its preface and HELLO without waiting for a byte from the acceptor.
  R-HSK-3	handshake.md	MUST	yes	An acceptor MUST answer a valid preface and a complete HELLO frame with its own preface and HELLO, also where it is about to refuse.
  R-HSK-4	handshake.md	MUST	yes	An endpoint MUST refuse with `malformedHello` when a field of the HELLO is outside the range of the table, a string is not valid UTF-8, the minimum version is above the maximum, or the payload ends inside a field.
  R-HSK-5	handshake.md	MUST	yes	An endpoint MUST skip a HELLO extension whose type it does not know.
  R-HSK-6	handshake.md	MUST	yes	An endpoint MUST ignore the target server ID in the HELLO of an acceptor.
  R-HSK-7	handshake.md	MUST	yes	Each HELLO MUST carry a nonce of 16 bytes from a source of randomness that an attacker cannot predict.
  R-HSK-8	handshake.md	MUST	yes	An endpoint MUST use one incarnation for all connections of a process, and a greater one after each start of the process.
  R-HSK-9	handshake.md	MUST	yes	The layout of the preface, of the frame header and of the HELLO fields above MUST be the same in every version of the protocol.
  R-HSK-10	handshake.md	MUST	yes	An endpoint MUST refuse with `unsupportedVersion` when the smaller maximum version is below the greater minimum version.
  R-HSK-11	handshake.md	MUST	yes	An endpoint MUST use a feature if and only if both HELLOs carry its bit.
  R-HSK-12	handshake.md	MUST	yes	An endpoint MUST ignore feature and method bits of a HELLO that it does not know.
  R-HSK-13	handshake.md	MUST	yes	An endpoint MUST refuse with `unauthenticated` when the two HELLOs have no known authentication method in common.
  R-HSK-14	handshake.md	MUST	yes	An endpoint MUST use the strongest authentication method that both HELLOs carry, in the order TLS, shared key, none.
  R-HSK-15	handshake.md	SHOULD	no	An endpoint SHOULD offer `crc32` unless the connection is protected by TLS or both its addresses are loopback addresses.
  R-HSK-16	handshake.md	MUST	yes	An endpoint MUST send AUTH with the agreed method after it has received the peer's HELLO, unless it refuses.
  R-HSK-17	handshake.md	MUST	yes	An endpoint MUST refuse with `unauthenticated` when the peer's AUTH names another method than the agreed one, or carries a proof that was checked and is wrong.
  R-HSK-18	handshake.md	MUST NOT	yes	With methods 0 and 1 an endpoint MUST NOT wait for the peer's AUTH before it sends its own.
  R-HSK-19	handshake.md	MUST NOT	yes	With method 2 an acceptor MUST NOT send its AUTH before it has verified the dialler's proof.
  R-HSK-20	handshake.md	MUST NOT	yes	An endpoint MUST NOT send an accepting WELCOME before it has verified the peer's AUTH.
  R-HSK-21	handshake.md	MUST	yes	An endpoint that does not want the connection MUST say so by a WELCOME with a code other than 0, unless the preface was wrong, or has not come, or the transport has failed.
  R-HSK-22	handshake.md	MAY	yes	A refusing WELCOME MAY be sent at any time after the sender's own HELLO and before its accepting WELCOME, also in the place of AUTH.
  R-HSK-23	handshake.md	MUST	yes	After a refusing WELCOME an endpoint MUST send no further frame and half-close the connection.
  R-HSK-24	handshake.md	SHOULD	no	After it has half-closed, an endpoint SHOULD read and discard what arrives, for a bounded time and number of bytes, until the peer's end of input, and then close.
  R-HSK-25	handshake.md	MUST	no	An endpoint MUST ignore the `route` bit of a dialler's WELCOME.
  R-HSK-26	handshake.md	MUST	yes	An endpoint MUST end the connection with `protocolViolation` when a WELCOME has a Winner other than 0 or 1, or a Length between 8 and 536 that does not fit its fields.
  R-HSK-27	handshake.md	MUST NOT	yes	An endpoint MUST NOT send any frame but HELLO, AUTH, WELCOME and the GOAWAY of R-HSK-44 before it has both sent and received an accepting WELCOME.
  R-HSK-28	handshake.md	MUST	yes	An endpoint MUST end the connection with `protocolViolation` on a HELLO, AUTH or WELCOME frame that is out of its order or comes a second time.
  R-HSK-29	handshake.md	MUST	yes	An endpoint MUST end the connection with `protocolViolation` on a frame other than HELLO, AUTH, WELCOME and the GOAWAY of R-HSK-45 that arrives before it has both sent and received an accepting WELCOME.
  R-HSK-30	handshake.md	MUST NOT	yes	The bytes that an endpoint sends up to and including its WELCOME, preface included, MUST NOT be more than 4,096.
  R-HSK-31	handshake.md	MUST	yes	An endpoint MUST refuse with `handshakeTooLarge` as soon as the bytes received, or the Length in a header, show that the peer's handshake would be larger than 4,096 bytes.
  R-HSK-32	handshake.md	MUST	yes	An endpoint MUST give up with `handshakeTimeout` when the handshake is not complete 5 seconds after the transport connection was established.
  R-HSK-33	handshake.md	MUST	yes	An endpoint MUST refuse with `wrongCluster` when the cluster IDs are not the same bytes.
  R-HSK-34	handshake.md	MUST	yes	An acceptor MUST refuse with `wrongServer` when the target server ID is neither empty nor its own.
  R-HSK-35	handshake.md	MUST	yes	A dialler that wants a certain server MUST refuse with `wrongServer` when the server ID in the acceptor's HELLO is another one.
  R-HSK-36	handshake.md	MUST	yes	An endpoint MUST refuse with `selfConnection` when the server ID of the peer's HELLO is its own, or the nonce of the peer's HELLO is the one that it sent on this connection.
  R-HSK-37	handshake.md	SHOULD	no	A dialler that was refused SHOULD wait with jittered back-off before it dials the same address again.
  R-HSK-38	handshake.md	MUST	yes	An acceptor MUST send an empty target server ID.
  R-HSK-39	handshake.md	MUST	yes	An endpoint MUST refuse with `protocolViolation` when the peer's AUTH carries a proof although the method has none.
  R-HSK-40	handshake.md	MUST	yes	With method 2 a dialler MUST refuse with `protocolViolation` when AUTH arrives before it has sent its own.
  R-HSK-41	handshake.md	MUST	yes	An endpoint MUST send the flags of WELCOME that are not defined as 0, and ignore them when it receives them.
  R-HSK-42	handshake.md	MUST NOT	yes	A sender MUST NOT send a HELLO of more than 3,072 bytes of payload, nor an AUTH with a proof of more than 256 bytes.
  R-HSK-43	handshake.md	MUST	yes	A receiver MUST refuse with `frameSize` when the Length of HELLO is above 3,072, that of AUTH is not from 1 to 257, or that of WELCOME is not from 8 to 536.
  R-HSK-44	handshake.md	SHOULD	yes	An endpoint that has sent its accepting WELCOME and gives up before the peer's WELCOME arrives SHOULD send GOAWAY with the last id 0 as its last frame.
  R-HSK-45	handshake.md	MUST	yes	An endpoint that has received the peer's accepting WELCOME and not yet sent its own MUST treat a GOAWAY like a refusing WELCOME with the same code.
  R-HSK-46	handshake.md	SHOULD	yes	When several reasons of the HELLO apply, an endpoint SHOULD report the first of: malformedHello, wrongCluster, selfConnection, wrongServer, unsupportedVersion, unauthenticated.
  R-HSK-47	handshake.md	MUST	yes	An endpoint MUST ignore the winner nonce of a WELCOME whose code is not `duplicate`.
  R-PAIR-1	handshake.md	MUST NOT	yes	An endpoint that is not the arbiter MUST NOT refuse a connection with `duplicate`.
  R-PAIR-2	handshake.md	MUST	yes	The arbiter MUST refuse a newcomer with `duplicate` while an incumbent of the pair is alive and not weaker than the newcomer.
  R-PAIR-3	handshake.md	MUST	yes	The arbiter MUST accept a newcomer that is stronger than the incumbent, also where the incumbent is alive.
  R-PAIR-4	handshake.md	MUST	yes	A WELCOME with `duplicate` MUST carry the winner nonce.
  R-PAIR-5	handshake.md	MUST	yes	The arbiter MUST accept the first connection of a pair that completes authentication, whoever dialled it.
  R-PAIR-6	handshake.md	SHOULD	no	An endpoint that was refused with `duplicate` SHOULD use the connection with the winner nonce for its calls, and wait for it for a bounded time where that connection is not complete on its side.
  R-PAIR-7	handshake.md	MUST	yes	Before it refuses a newcomer that is not weaker with `duplicate`, the arbiter MUST probe an established incumbent by PING when it has received nothing on it for the last second, or when the newcomer's incarnation is greater than the incumbent's.
  R-PAIR-8	handshake.md	MUST	yes	The arbiter MUST end an incumbent that does not answer the probe within the greater of 1 second and 4 times its smoothed round-trip time, but at most 3 seconds, with `displaced`, and accept the newcomer.
  R-PAIR-9	handshake.md	MUST	yes	An arbiter that accepts a newcomer in the place of an incumbent MUST end the incumbent with `displaced`.
  R-PAIR-10	handshake.md	MUST NOT	yes	A newcomer whose strength is below the incumbent's MUST NOT displace it.
  R-PAIR-11	handshake.md	MUST	yes	An endpoint MUST refuse with `staleIncarnation` a newcomer whose incarnation is below that of a live connection of the same server ID and of at least the newcomer's strength.
  R-PAIR-12	handshake.md	SHOULD	no	An endpoint SHOULD raise an alarm in its log when more than three connections of one pair were displaced within a minute.
  R-PAIR-13	handshake.md	MUST NOT	yes	An acceptor MUST NOT set `route` unless the dialler's server ID was proven by TLS with a certificate that was checked against that server ID, or its source address was confirmed as the next requirement says.
  R-PAIR-14	handshake.md	MUST NOT	yes	On a connection without TLS an acceptor MUST NOT take a source address as confirmed unless it is one that the acceptor's own resolver gives for the address at which the acceptor was asked to call that server, and the dialler's advertised address equals that address.
  R-PAIR-15	handshake.md	MUST NOT	yes	An acceptor that did not set `route` MUST NOT open a stream on the connection before it has confirmed the dialler's source address.
  R-PAIR-16	handshake.md	MUST NOT	yes	The arbiter MUST NOT refuse as a duplicate a connection that was dialled from the other side than the incumbent while the incumbent is no route for its acceptor.
  R-PAIR-17	handshake.md	SHOULD	no	An endpoint that is not the arbiter SHOULD probe its older connections to the arbiter that are not stronger when a new one is established, and end those that do not answer.
  R-PAIR-18	handshake.md	SHOULD	yes	The arbiter SHOULD accept a newcomer of a greater incarnation and the same strength in the place of an incumbent whose handshake is not complete.
  R-PAIR-19	handshake.md	MUST NOT	yes	An endpoint MUST NOT send a call that names an address and no server on a connection whose dialler has only said, and not shown by R-PAIR-14, that it lives at that address.
  R-PAIR-20	handshake.md	SHOULD	no	An endpoint that was refused with `duplicate` and Winner 0 SHOULD use any connection with the server that refused it for its calls, as it would use the winner, and wait for one as long.
  R-LIM-1	limits.md	MUST	no	An endpoint MUST have a limit on everything that a peer can make it keep.
  R-LIM-2	limits.md	MUST	no	An endpoint MUST check numbers that its user can set, each by itself and against the others, before it uses them.
  R-LIM-3	limits.md	MUST	yes	A receiver MUST end the connection with `excessiveLoad`, and name the budget in the text, when a frame finds the bucket of its kind empty.
  R-LIM-4	limits.md	MUST NOT	yes	A receiver MUST NOT end the connection with `excessiveLoad` while the peer stays within the burst and the rate of every budget in the table.
  R-LIM-5	limits.md	MUST	yes	A sender MUST keep to these budgets.
  R-LIM-6	limits.md	MUST NOT	yes	A receiver MUST NOT count DATA as tiny that ends exactly at a limit which it has announced for the half, be it the newest or an earlier one.
  R-LIM-7	limits.md	MUST	yes	An endpoint MUST end the connection with `excessiveLoad` when more than 4,096 control frames are waiting to be sent.
  R-LIM-8	limits.md	MUST	no	An endpoint MUST coalesce what it can before it counts: one CREDIT for each half, one STREAMS for each class, at most 8 PONGs.
  R-LIM-9	limits.md	MUST	yes	An endpoint MUST end the connection with `excessiveLoad` when more than 4,096 streams that it has refused have not been ended by the peer.
  R-LIM-10	limits.md	SHOULD	yes	An endpoint SHOULD bound the connections that have not completed the handshake, for a listener and for each source address.
  R-LIM-11	limits.md	SHOULD	yes	An endpoint SHOULD bound the running handlers of a peer over all its connections.
  R-LIM-12	limits.md	MUST NOT	yes	An endpoint MUST NOT refuse a stream of class election because handlers of other classes are running.
  R-LIM-13	limits.md	MUST	no	A receiver MUST bound the memory that held stream bytes pin by a constant factor of their number.
  R-LIM-14	limits.md	SHOULD	no	An endpoint SHOULD bound the rate of the log lines that a peer can cause, and count what it leaves out.
  R-LIM-15	limits.md	MUST	no	An endpoint MUST bound the memory that decoded messages take beyond the bytes of their windows.
  R-LIM-16	limits.md	SHOULD	no	An endpoint SHOULD count the running handlers of peers that have proved nothing apart from those of peers that have, and bound them all together.
  R-LIM-17	limits.md	SHOULD	no	An endpoint SHOULD take no further request from a stream while answers to earlier ones wait that the peer gives no credit for.
  R-LIV-1	liveness.md	MUST	yes	An endpoint MUST answer PING by PONG with the same eight bytes.
  R-LIV-2	liveness.md	MAY	yes	An endpoint MAY leave PINGs unanswered when more than 8 PONGs are waiting to be sent, and answers the newest then.
  R-LIV-3	liveness.md	MUST	yes	An endpoint MUST ignore a PONG that answers none of its PINGs, and counts it as a control frame that changes nothing.
  R-LIV-4	liveness.md	SHOULD	yes	An endpoint SHOULD send one PING after it has received nothing for 1 second, varied at random by 20 % either way.
  R-LIV-5	liveness.md	MUST	yes	An endpoint MUST end the connection with `silent` when it has received no byte for the greater of 5 seconds and 8 times its smoothed round-trip time.
  R-LIV-6	liveness.md	MUST	yes	An endpoint MUST end the connection with `silent` when it has had bytes to send and the transport has taken none for that same time.
  R-LIV-7	liveness.md	MUST	yes	An endpoint MUST count every received byte as a sign of life, whatever it belongs to.
  R-LIV-8	liveness.md	SHOULD NOT	no	An endpoint SHOULD NOT send PING while bytes arrive, except as a probe of [arbitration](handshake.md#arbitration), for draining, to measure as the two requirements above say, to size windows ([R-FLW-37](flow-control.md#windows-that-grow)) or to pace bulk where the system does not tell ([path](path.md)).
  R-LIV-9	liveness.md	SHOULD	no	An endpoint SHOULD compute its smoothed round-trip time and variation from PING and PONG as RFC 6298 does, with 1/8 and 1/4 as gains.
  R-LIV-10	liveness.md	MUST	no	An endpoint MUST bound the time to which slow answers to PING can stretch the limit; 60 seconds is the most.
  R-LIV-11	liveness.md	SHOULD	yes	An endpoint SHOULD send PING when it has measured no round trip for 5 seconds, also while bytes arrive, unless an earlier PING of the same silence is unanswered.
  R-LIV-12	liveness.md	SHOULD	no	An endpoint SHOULD send one PING behind the two WELCOMEs, to know the round trip from the start.
  R-PATH-1	path.md	SHOULD	no	An endpoint SHOULD keep what lies between its scheduler and the path, its own write queue, the system's unsent bytes and the frame that was begun, to about a millisecond of the measured rate each.
  R-PATH-2	path.md	SHOULD	no	An endpoint SHOULD cut DATA of the classes append and snapshot only while fewer bytes are outstanding than the bound allows.
  R-PATH-3	path.md	MUST NOT	no	An endpoint MUST NOT hold back control frames, or DATA of class election within the class's rate, for the sake of the path.
  R-PATH-4	path.md	SHOULD	no	An endpoint that holds bulk back SHOULD measure the least round trip anew at least every 10 seconds of sending.
  R-PATH-5	path.md	SHOULD NOT	no	An endpoint SHOULD NOT hold bulk back on paths with a least round trip below 1 ms.
  R-PATH-6	path.md	SHOULD NOT	no	An endpoint SHOULD NOT ask the system about a connection that sends no bulk.
  R-PAY-1	payloads.md	MUST	yes	A request is one type byte and then one object. The types: 0 AppendEntries, 1 RequestVote, 2 InstallSnapshot, 3 TimeoutNow, 4 RequestPreVote. There is no length in front of either.
  R-PAY-2	payloads.md	MUST	yes	A type byte above 4 MUST be refused as soon as it is read.
  R-PAY-3	payloads.md	MUST	yes	The object of an InstallSnapshot request is followed by exactly `Size` raw bytes, none if `Size` is zero or negative. What comes behind them is the next request.
  R-PAY-4	payloads.md	MAY	yes	An answer is an error text and then an object, or nil (`c0`) instead of the object. No error is the empty text `a0`. An object MAY follow an error that is not empty.
  R-PAY-5	payloads.md	MUST	yes	An error's text may be any bytes, valid UTF-8 or not, and MUST be passed on as it is.
  R-PAY-6	payloads.md	MUST	yes	How bytes are cut into pieces carries no meaning: a reader MUST give the same messages for every cut, and MUST NOT read beyond the last byte of an object as if it belonged to it.
  R-PAY-7	payloads.md	MUST	yes	An object is a map with every field of its type, each time, in the order of the names' bytes. The fields of the header stand among the message's own.
  R-PAY-8	payloads.md	MUST	yes	The fields in italics exist in some profiles only (R-PAY-18).
  R-PAY-9	payloads.md	MUST	yes	The kinds of the fields:
  R-PAY-10	payloads.md	MUST	yes	Keys, bytes and texts are raw with the shortest header: `a0`...`bf` up to 31 bytes, `da` up to 65,535, `db` above. nil bytes are `c0`; empty bytes are `a0`. The two MUST be kept apart.
  R-PAY-11	payloads.md	MUST	yes	Arrays take the shortest header: `90`...`9f` up to 15 elements, `dc` up to 65,535, `dd` above. nil entries are `c0`, no entries `90`, and a nil element `c0`.
  R-PAY-12	payloads.md	MUST	yes	An unsigned integer takes the shortest unsigned format: one byte up to 127, then `cc`, `cd`, `ce`, `cf`.
  R-PAY-13	payloads.md	MUST	yes	A signed integer takes, if negative, the shortest signed format: one byte down to -32, then `d0`, `d1`, `d2`, `d3`. If not negative, it depends on the profile: *unsigned* as in R-PAY-12, or *signed*: one byte up to 127, then `d1` (never `d0`), `d2`, `d3`.
  R-PAY-14	payloads.md	MUST	yes	Booleans are `c2` and `c3`.
  R-PAY-15	payloads.md	MUST	yes	A time in the *binary* format is a raw string of 15 or 16 bytes: version, seconds since the start of the year 1 UTC (signed, 64 bits), nanoseconds (32 bits), zone offset in minutes (signed, 16 bits). Offset -1 says that the location is UTC itself; a zone that has no offset but is not UTC is 0. The version is 1, or 2 if the offset has odd seconds, which then follow in one more byte; minutes and seconds are both truncated toward zero, so they have the same sign. The time that stands for "not set" is second 0, nanosecond 0, UTC.
  R-PAY-16	payloads.md	MUST	yes	An offset whose minutes are -1 (that is, -60...-119 seconds) or do not fit 16 bits has no binary encoding. The writer MUST report an error and MUST NOT have written any byte of the message.
  R-PAY-17	payloads.md	MUST	yes	A time in the *compact* format loses its zone. The instant that stands for "not set" is `c0`, in whatever zone; any other is a raw string with the shortest of: 4 bytes of seconds since 1970, if there are no nanoseconds and the seconds fit; 8 bytes, of which the upper 30 bits are nanoseconds and the lower 34 bits seconds, if these fit; 12 bytes, nanoseconds (32 bits) and seconds (signed, 64 bits).
  R-PAY-18	payloads.md	MUST	yes	A writer has one of five profiles and MUST decide by nothing else:
  R-PAY-19	payloads.md	SHOULD	yes	The default SHOULD be `1.6`: every release reads it. Releases 1.3 to 1.5 do not read compact times.
  R-PAY-20	payloads.md	MUST	yes	Fields may come in any order. A field that is missing is zero, false, nil, or the time "not set".
  R-PAY-21	payloads.md	MUST	yes	A field of unknown name is skipped, whatever its value. Names are compared byte by byte.
  R-PAY-22	payloads.md	MUST	yes	nil is taken for a value of any kind and for a whole object, and means what R-PAY-20 says.
  R-PAY-23	payloads.md	MUST	yes	Headers and integers may be longer than need be, and an integer may be in a signed or unsigned format.
  R-PAY-24	payloads.md	MUST	yes	An object may be an array of its fields in order of declaration, the header's first (ProtocolVersion, ID, Addr), shorter or longer than the fields there are. (The order is that of the code's types, and no encoder writes it.)
  R-PAY-25	payloads.md	MUST NOT	yes	A key may be raw, `str8`, binary, or an array of integers of one byte. It MUST NOT be empty, nil or anything else.
  R-PAY-26	payloads.md	MUST	yes	An error's text may be raw, `str8`, binary, an array of integers, or nil; nil and empty are no error.
  R-PAY-27	payloads.md	MUST	yes	Of a field that comes twice the last one holds; entries are updated element by element and field by field, and there are as many as the last one has.
  R-PAY-28	payloads.md	MUST	yes	A negative value of an unsigned field, and one above 255 of Type, MUST be refused. An unsigned value of 2^63 and more of a signed field wraps around to negative.
  R-PAY-29	payloads.md	MUST	yes	An integer field takes no float, text or boolean.
  R-PAY-30	payloads.md	MUST	yes	A boolean may be the integer 0 or 1 in its one-byte format, but no other integer.
  R-PAY-31	payloads.md	MUST	yes	Bytes may be raw, `str8`, binary, or an array of integers of one byte (nil elements are 0), or a map, which is taken for the array of its keys and values. All of them are not nil, even if empty.
  R-PAY-32	payloads.md	MUST	yes	Entries may be an array or a map, which is taken for the array of its keys and values; not raw.
  R-PAY-33	payloads.md	MUST	yes	Byte `c1` MUST be refused anywhere.
  R-PAY-34	payloads.md	MUST	yes	A time is read in either format whatever the writer's profile: binary in a raw string of the shortest header only; compact in any raw, `str8` or binary format of 4, 8 or 12 bytes, or as the timestamp extension (`d6 ff`, `d7 ff`, `c7 0c ff`). Anything else but nil MUST be refused.
  R-PAY-35	payloads.md	MUST	yes	Of a binary time's nanoseconds the lower 30 bits count; a compact time's nanoseconds above a second carry over. A compact time is UTC.
  R-PAY-36	payloads.md	MUST	yes	What is skipped may have keys of any kind.
  R-PAY-37	payloads.md	MUST	yes	A timestamp extension of a length other than 4, 8 or 12 MUST be refused even where it is skipped.
  R-PAY-38	payloads.md	MUST	yes	Nesting: the message is the first level, each array or map inside one more. 1,023 levels MUST pass and 1,024 MUST be refused, without recursion that the peer controls.
  R-PAY-39	payloads.md	MUST	yes	A message has a largest size, with its type byte or error text (default 64 MiB). It MUST be refused as soon as what it has declared, with one byte for each element that is due, cannot fit any more.
  R-PAY-40	payloads.md	MUST	yes	An array or map has a largest count of elements, keys and values counted apart (default 262,144).
  R-PAY-41	payloads.md	MUST NOT	no	A reader MUST NOT reserve memory for what is declared and has not arrived.
  R-PAY-42	payloads.md	MUST	no	The work on a message MUST be proportional to its size however it is cut.
  R-PAY-43	payloads.md	MUST	yes	After a refusal nothing more can be read from the stream.
  R-PAY-44	payloads.md	MUST	yes	A receiver MUST take requests of any types, one behind the other, on one stream. (Only a stream of [encoding 1](snapshots.md) carries a single one.)
  R-PAY-45	payloads.md	MUST	yes	The answers of a stream MUST go out in the order of its requests, each whole before the next.
  R-PAY-46	payloads.md	MAY	yes	A caller MAY send requests before earlier ones of the stream are answered. (How many a receiver hands on before it has answered is its own business; credit holds the caller back.)
  R-PAY-47	payloads.md	MUST	yes	A receiver MUST end its half by FIN once the caller's half has ended by FIN between two requests and all requests are answered.
  R-PAY-48	payloads.md	SHOULD	yes	A receiver that refuses a request SHOULD send STOP at once, with `malformedMessage` unless another code says more, and end its half behind the answers to earlier requests: by RESET with the same code, once they are on the wire, since RESET drops what is queued.
  R-PAY-49	payloads.md	MUST NOT	yes	A caller MUST NOT take a half that ends, in whatever way, before an answer is whole for that answer. (The fate of its request is unknown; a receiver that was made of upstream's transport ends its half by FIN where upstream closes the connection.)
  R-PAY-50	payloads.md	MUST NOT	yes	A receiver MUST NOT answer a request that it refuses, nor one inside which the caller's half ends by FIN. (It answers what was asked before, and then ends its half.)
  R-PAY-51	payloads.md	SHOULD	yes	A receiver that finds FIN inside a request SHOULD end its half in the same way, with `malformedMessage`. (FIN inside the body of a snapshot: R-SNAP-17.)
  R-PAY-52	payloads.md	MUST NOT	no	A caller MUST NOT take for an answer what comes on a stream behind an answer that it cannot read.
  R-PAY-53	payloads.md	SHOULD	yes	A caller that cannot read an answer SHOULD send STOP with `malformedMessage`, and reset its own half with the same code, each where the half has not ended.
  R-PAY-54	payloads.md	MUST	no	A caller MUST report a request whose answer it cannot read as failed, and not as certainly not processed.
  R-SCH-1	scheduling.md	MUST	yes	An endpoint MUST send control frames that are ready before DATA frames that are ready.
  R-SCH-2	scheduling.md	MUST	yes	An endpoint MUST send DATA of election streams that is ready and within the class's rate before DATA of the other classes.
  R-SCH-3	scheduling.md	SHOULD	yes	Where append and snapshot streams are both ready all the time, an endpoint SHOULD share the bytes between the classes 8 to 1.
  R-SCH-4	scheduling.md	MUST	yes	An endpoint MUST serve the ready streams of one class in turn.
  R-SCH-5	scheduling.md	MUST NOT	yes	An endpoint MUST NOT let a stream without credit delay another stream.
  R-SCH-6	scheduling.md	MUST	yes	A RESET MUST take the place of DATA that was queued for its half and not yet sent.
  R-SCH-7	scheduling.md	SHOULD	yes	An endpoint SHOULD cut DATA frames of the classes append and snapshot to at most 16 KiB while another stream has something to send.
  R-SCH-8	scheduling.md	SHOULD	yes	An endpoint SHOULD put small frames that are ready together into one write.
  R-SCH-9	scheduling.md	SHOULD NOT	yes	A sender SHOULD NOT cut a DATA frame with MORE and fewer than 64 stream bytes unless credit or the frame limit leaves no more.
  R-SCH-10	scheduling.md	SHOULD	no	An endpoint SHOULD demote DATA of election streams to the append class while the class has sent more than a burst of 64 KiB and 256 KiB per second.
  R-SCH-11	scheduling.md	SHOULD	no	An endpoint SHOULD demote an election stream to the append class for the rest of its life when more than 16 KiB were queued on it at once.
  R-SCH-12	scheduling.md	MUST	yes	An endpoint MUST go on reading and processing control frames while a stream, a handler, a consumer or a write of its own is waiting.
  R-SCH-13	scheduling.md	MUST NOT	yes	A handler that does not answer MUST NOT delay the frames of any other stream.
  R-SEC-1	security.md	MUST NOT	yes	An endpoint MUST NOT set the bit of a method that it cannot carry out on this connection.
  R-SEC-2	security.md	MUST NOT	yes	An endpoint that is configured to require a method MUST NOT set the bit of a weaker one.
  R-SEC-3	security.md	MUST	no	An endpoint MUST compare proofs in constant time.
  R-SEC-4	security.md	MUST NOT	yes	On plaintext, an endpoint MUST NOT treat the server ID of a HELLO as proven.
  R-SEC-5	security.md	MUST NOT	no	An endpoint MUST NOT reserve memory by a length that a peer has declared before the bytes have arrived, beyond its limit for that item.
  R-SEC-6	security.md	MUST	no	An endpoint MUST escape control characters of a peer's text before it logs it.
  R-SEC-7	security.md	MUST NOT	yes	An endpoint MUST NOT tell a peer that has not completed the handshake more than its HELLO and the reason of the refusal.
  R-SEC-8	security.md	SHOULD	no	An endpoint SHOULD log a refused handshake with the peer's address, the code, and what a wrong preface looks like.
  R-SEC-9	security.md	MUST NOT	yes	An endpoint MUST NOT change to a weaker protocol or method by itself towards a peer with which a stronger one has been used.
  R-SEC-10	security.md	MUST	yes	An endpoint that offers TLS MUST use version 1.3 or a later one, show a certificate, and end a connection whose peer shows none that leads to a trust root of its own and is good at this time and for this use.
  R-SEC-11	security.md	MUST	yes	An endpoint MUST end a TLS connection on which ALPN (RFC 7301) has not agreed on `rmux/1`.
  R-SEC-12	security.md	MUST	yes	An endpoint MUST take a certificate as that of a server only if one of its URIs with the scheme `rmux` is of this form and names the server's cluster and the server, or if it has no URI with that scheme and one of its DNS names is, byte by byte, the server ID, unless its user has given it a rule of his own.
  R-SEC-13	security.md	MUST	yes	An endpoint MUST refuse with `unauthenticated` when the peer's certificate is not that of the server and the cluster in the peer's HELLO.
  R-SEC-14	security.md	MUST	yes	A proof MUST be HMAC-SHA-256 with the key over the label of the prover's role (the ASCII bytes of `rmux/1 dialler` or `rmux/1 acceptor`), then the dialler's HELLO frame and the acceptor's, each as it was sent, header included, with its length as a u32 in front.
  R-SEC-15	security.md	SHOULD	yes	An acceptor that takes no plaintext SHOULD answer a preface and HELLO in plaintext with a HELLO that carries no method, and refuse with `unauthenticated`.
  R-SEC-16	security.md	SHOULD	no	An endpoint that ends a connection by a TLS alert SHOULD read and discard what arrives, for a bounded time and number of bytes, before it closes.
  R-SEC-17	security.md	MUST	yes	An endpoint MUST count the handshake of TLS into the time of R-HSK-32, and the connections that are in it among those whose handshakes are not complete.
  R-SEC-18	security.md	MUST	no	An endpoint whose certificate, keys or trust roots are replaced MUST use the new ones for all connections that begin afterwards.
  R-SEC-19	security.md	MUST	no	An endpoint whose user decides about peers MUST ask him after the peer has shown itself and before its accepting WELCOME.
  R-SEC-20	security.md	MUST NOT	no	An endpoint MUST NOT accept or dial plaintext where something better is configured, unless its user has allowed it for a migration by name.
  R-SEC-21	security.md	SHOULD	no	An endpoint SHOULD log a warning when it starts in a migration, and for each connection in plaintext.
  R-SNAP-1	snapshots.md	MUST	yes	A stream of encoding 1 carries one request, which is an InstallSnapshot; its sender MUST finish (FIN) or reset its half behind the body.
  R-SNAP-2	snapshots.md	MUST	yes	How the body is cut into frames carries no meaning, and no chunk boundary has to be a frame boundary: a receiver MUST give the same result for every split.
  R-SNAP-3	snapshots.md	MUST	yes	The method MUST be 0, 1 or 2.
  R-SNAP-4	snapshots.md	MUST	yes	The raw length of a stored or zlib chunk MUST be 1 ... 262,144.
  R-SNAP-5	snapshots.md	MUST	yes	The encoded length of a stored chunk MUST equal its raw length; that of a zlib chunk MUST be at least 1 and less than its raw length. (What does not shrink is sent stored.)
  R-SNAP-6	snapshots.md	MUST NOT	yes	The sum of the raw lengths MUST NOT exceed `Size`, not even by a chunk whose bytes have not come yet.
  R-SNAP-7	snapshots.md	MUST	yes	The encoded bytes of a zlib chunk MUST be one complete zlib stream, with its Adler-32 and without a preset dictionary; it starts with nothing known of other chunks.
  R-SNAP-8	snapshots.md	MUST	yes	That zlib stream MUST end at the chunk's last byte, not before it and not behind it.
  R-SNAP-9	snapshots.md	MUST	yes	It MUST hold exactly raw length bytes. A receiver MUST NOT store more of its output than that.
  R-SNAP-10	snapshots.md	MUST	yes	The last record MUST be an end record with raw length 0 and encoded length 8, whose total equals the sum of the raw lengths and `Size`.
  R-SNAP-11	snapshots.md	MUST	yes	Nothing but FIN follows the end record, and FIN comes nowhere else.
  R-SNAP-12	snapshots.md	SHOULD	yes	A sender SHOULD fill each chunk but the last, so that headers stay a small part.
  R-SNAP-13	snapshots.md	MUST	yes	A receiver MUST check each header as soon as its nine bytes are there, before it takes memory for what the header announces, and SHOULD need no more memory than a few chunks, whatever `Size` says.
  R-SNAP-14	snapshots.md	MUST	yes	A receiver that finds a fault gives the consumer's body an error behind the plain bytes in front of the fault, sends STOP with code malformedChunk (0x49), and need not answer. A fault is a fault of its stream alone: the connection goes on.
  R-SNAP-15	snapshots.md	MUST NOT	yes	A sender MUST NOT send a plain byte beyond `Size`, whatever its source gives.
  R-SNAP-16	snapshots.md	MUST NOT	yes	FIN (and, chunked, the end record) MUST NOT be sent before the source has ended after exactly `Size` bytes. If it ends early, goes on, or fails, the sender MUST reset its half with sourceFailed (0x48).
  R-SNAP-17	snapshots.md	MUST	yes	A receiver of a plain body MUST treat FIN before `Size` bytes as an error of the body. Bytes behind them are no part of it: as on a connection of the old protocol they start the next request.
  R-SNAP-18	snapshots.md	MUST NOT	yes	A reset half is an error of the body: a consumer MUST NOT be able to take it for its end.
  R-SNAP-19	snapshots.md	MAY	yes	A receiver MAY answer before the body has ended. It then sends STOP with notNeeded (0x4A), and the sender, whose half that resets, MUST still read the answer.
  R-SNAP-20	snapshots.md	MUST	yes	An endpoint MUST take snapshots of both encodings. (There is no bit of HELLO for it: senders need not ask, nor be ready to send the same snapshot again. Which one to send is the sender's choice.)
  R-STR-1	streams.md	MUST	yes	A dialler MUST open streams with the ids 1, 3, 5 and so on, an acceptor with 2, 4, 6 and so on, each id two above the sender's previous one.
  R-STR-2	streams.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a DATA frame with OPEN whose Stream is not the next id of the peer.
  R-STR-3	streams.md	MUST	yes	A receiver MUST end the connection with `protocolViolation` on a DATA frame without OPEN, or a CREDIT, RESET or STOP frame, whose Stream was never opened.
  R-STR-4	streams.md	MUST	no	A sender MUST choose the id when the frame with OPEN is put on the wire, not when the user asks for the stream.
  R-STR-5	streams.md	MUST	yes	A receiver MUST answer a DATA frame with OPEN whose Class is not 1, 2 or 3 by RESET and STOP with `unknownClass`.
  R-STR-6	streams.md	MUST	yes	A receiver MUST answer a DATA frame with OPEN whose Encoding it does not know by RESET and STOP with `unknownEncoding`.
  R-STR-7	streams.md	MUST	yes	A receiver MUST answer a DATA frame with OPEN whose Encoding is 1 and whose Class is not 3 by RESET and STOP with `unknownEncoding`.
  R-STR-8	streams.md	MUST	yes	A receiver MUST answer a DATA frame with OPEN whose group id it does not serve by RESET and STOP with `unknownGroup`.
  R-STR-9	streams.md	MUST NOT	yes	A receiver that answers an opening frame by RESET and STOP MUST NOT end the connection because of further DATA frames of that stream which arrive before the peer's RESET or FIN.
  R-STR-10	streams.md	MUST	yes	A sender that does not host several Raft groups MUST send 0 as the group id.
  R-STR-11	streams.md	MUST NOT	yes	A sender MUST NOT send DATA or RESET on a half that it has ended by FIN or RESET.
  R-STR-12	streams.md	MUST	yes	A receiver MUST end the connection with `streamState` on DATA for a half that the peer has ended by FIN or RESET.
  R-STR-13	streams.md	MUST	no	A receiver MUST end the connection with `streamState` on a RESET for a half that the peer has ended by RESET, while it has not forgotten the stream.
  R-STR-14	streams.md	MUST	yes	A receiver MUST ignore RESET for a half that the peer has ended by FIN.
  R-STR-15	streams.md	MUST	yes	An endpoint MUST answer STOP on a half that it has not ended by RESET with the same code, and drop what was queued for it.
  R-STR-16	streams.md	MUST	yes	An endpoint MUST ignore STOP on a half that it has ended.
  R-STR-17	streams.md	MUST	yes	An endpoint MUST ignore CREDIT on a half that it has ended.
  R-STR-18	streams.md	MUST	yes	An endpoint MUST ignore CREDIT, RESET and STOP for a stream that both sides have opened and closed and that it has forgotten.
  R-STR-19	streams.md	MUST	yes	An endpoint that has sent STOP MUST take DATA of that half, within the credit that it gave, until FIN or RESET arrives.
  R-STR-20	streams.md	MUST	yes	An endpoint MUST deliver the bytes of a half in order, and FIN only after all of them.
  R-STR-21	streams.md	MUST NOT	yes	An endpoint MUST NOT hand on to its user a half as complete that ended by RESET.
  R-STR-22	streams.md	MUST NOT	yes	An endpoint MUST NOT send STOP twice on one half, nor, except as the answer to an opening that it refuses, on a half that has ended.
  R-STR-23	streams.md	MUST NOT	yes	A RESET or STOP MUST NOT be sent before the frame with OPEN of its stream.
  R-STR-24	streams.md	MUST NOT	yes	An endpoint that cancels a stream before its frame with OPEN was sent MUST NOT send any frame for it.
  R-STR-25	streams.md	MUST	yes	An endpoint that has received STOP on a half in state ready MUST end that half, so that the peer can forget the stream.
  """#
}
