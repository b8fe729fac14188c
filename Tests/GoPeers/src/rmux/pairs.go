package rmux

import "net"

// A strength says how well a peer's identity was earned (handshake.md, one connection per pair).
type strength int

const (
	claimed strength = iota
	addressChecked
)

// A link is a connection from the moment when this side accepts it in the handshake.
type link struct {
	greeting
	socket   net.Conn
	strength strength
	// target is the address that was dialled; empty where the peer dialled.
	target string
	// conn is nil until the handshake is complete.
	conn *Conn
	// isUnwanted says that another one has taken its place during its handshake.
	isUnwanted bool
}

// leadsTo says whether calls to an address may use the link (R-PAIR-13 to R-PAIR-15): it was dialled there, or came
// from a source that the address resolves to, from a peer that advertises just that address.
func (l *link) leadsTo(address string) bool {
	if l.isDialler {
		return l.target == address
	}
	return l.peer.address == address && l.strength == addressChecked
}

func (l *link) end(err error) {
	if l.conn != nil {
		l.conn.end(err)
	} else {
		l.socket.Close()
	}
}

// isSourceConfirmed says whether a connection comes from where its peer's advertised address leads.
func isSourceConfirmed(socket net.Conn, advertised string) bool {
	host, _, err := net.SplitHostPort(advertised)
	if err != nil {
		return false
	}
	source, _, err := net.SplitHostPort(socket.RemoteAddr().String())
	if err != nil {
		return false
	}
	ips, err := net.LookupIP(host)
	if err != nil {
		return false
	}
	for _, ip := range ips {
		if ip.Equal(net.ParseIP(source)) {
			return true
		}
	}
	return false
}

// judge decides about a connection whose peer has proven all that the method asks for, and keeps it if it is accepted.
func (l *Layer) judge(g greeting, socket net.Conn, target string) (*link, welcome) {
	new := &link{greeting: g, socket: socket, target: target, strength: addressChecked}
	if !g.isDialler && !isSourceConfirmed(socket, g.peer.address) {
		new.strength = claimed
	}
	isArbiter := l.own.server > g.peer.server
	for {
		l.mutex.Lock()
		if l.isClosed {
			l.mutex.Unlock()
			return nil, welcome{code: Shutdown, text: "the server closes"}
		}
		rival, verdict := l.rival(new, isArbiter)
		if rival == nil {
			// Whoever accepts sets the flag if it knows already that it may use the connection.
			isRoute := !g.isDialler && l.asked[g.peer.address] && new.leadsTo(g.peer.address)
			l.links = append(l.links, new)
			older := l.others(new)
			l.mutex.Unlock()
			if !isArbiter {
				go probeAll(older, new.strength)
			}
			return new, welcome{route: isRoute}
		}
		if verdict.code == None {
			l.drop(rival)
			l.mutex.Unlock()
			rival.end(faultf(Displaced, "another connection has taken the place of this one"))
			continue
		}
		conn := rival.conn
		l.mutex.Unlock()
		needsProbe := conn != nil && (conn.isSilent() || g.peer.incarnation != rival.peer.incarnation)
		if needsProbe && !conn.probe() {
			l.remove(rival)
			continue
		}
		return nil, verdict
	}
}

// rival gives the connection that stands against a new one, and what that means if the rival is alive: a refusal, or
// with the code none, that the rival has to go.
func (l *Layer) rival(new *link, isArbiter bool) (*link, welcome) {
	for _, old := range l.links {
		if old.peer.server != new.peer.server {
			continue
		}
		if new.peer.incarnation < old.peer.incarnation && new.strength <= old.strength && old.conn != nil {
			return old, welcome{code: StaleIncarnation, text: "there is a connection to a later start of this server"}
		}
		if !isArbiter || !spares(old, new) || old.conn != nil && !old.conn.isUsable() {
			continue
		}
		if new.strength > old.strength {
			return old, welcome{}
		}
		if old.conn == nil && new.strength == old.strength && new.peer.incarnation > old.peer.incarnation {
			return old, welcome{}
		}
		winner := old.diallerNonce()
		return old, welcome{code: Duplicate, winner: &winner, text: "use the other connection"}
	}
	return nil, welcome{}
}

// spares says whether an old connection makes a new one unnecessary: the new one's dialler may use it, or it may yet
// turn out so.
func spares(old, new *link) bool {
	return old.isDialler == new.isDialler || old.conn == nil || old.hasRoute
}

// others gives the established links to the same server.
func (l *Layer) others(new *link) []*link {
	var others []*link
	for _, old := range l.links {
		if old != new && old.conn != nil && old.peer.server == new.peer.server {
			others = append(others, old)
		}
	}
	return others
}

// probeAll ends the older links of a pair that do not answer (R-PAIR-17).
func probeAll(links []*link, atMost strength) {
	for _, link := range links {
		if link.strength <= atMost {
			link.conn.probe()
		}
	}
}

func (l *Layer) remove(gone *link) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.drop(gone)
}

func (l *Layer) drop(gone *link) {
	for i, link := range l.links {
		if link == gone {
			l.links = append(l.links[:i:i], l.links[i+1:]...)
			break
		}
	}
	gone.isUnwanted = true
	l.changed.Broadcast()
}
