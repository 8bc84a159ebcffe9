package fakedns

import (
	"net/netip"
	"sync"
)

const chunkSize = 1024

type chunk [chunkSize]record

// A page holds the addresses of many answers one after the other, in slots of 4
// bytes. No answer stands in two pages; the largest has maxMaxAnswers addresses of 16 bytes.
const (
	slotSize  = 4
	pageSlots = 16384
)

type page [pageSlots * slotSize]byte

// queryLog keeps every query in memory, in chunks and pages so that nothing moves.
type queryLog struct {
	mu     sync.Mutex
	chunks []*chunk
	pages  []*page
	slot   uint32        // the first free one, counted through all pages
	first  uint64        // Seq of the first record kept
	next   uint64        // Seq of the next record
	grown  chan struct{} // closed when there is more; nil while nobody waits
}

func newQueryLog() *queryLog { return &queryLog{first: 1, next: 1} }

// append keeps r with the addresses that it answered, all of one family, and
// returns it in its place, where its answered time may be stored.
func (l *queryLog) append(r *record, answers []netip.Addr) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := (l.next - l.first) % chunkSize
	if at == 0 {
		l.chunks = append(l.chunks, new(chunk))
	}
	kept := &l.chunks[len(l.chunks)-1][at]
	*kept = *r
	l.keep(kept, answers)
	l.next++
	l.wakeLocked()
	return kept
}

// keep writes the addresses of an answer into a page.
func (l *queryLog) keep(r *record, answers []netip.Addr) {
	if len(answers) == 0 {
		return
	}
	six := answers[0].Is6()
	size := answerSize(six)
	slots := uint32(len(answers) * size / slotSize)
	if free := uint32(len(l.pages))*pageSlots - l.slot; free < slots {
		l.slot += free
		l.pages = append(l.pages, new(page))
	}
	r.answersAt, r.answers = l.slot, uint16(len(answers))
	r.set(answersAre6, six)
	to := l.pages[len(l.pages)-1][l.slot%pageSlots*slotSize:]
	for i, a := range answers {
		if six {
			sixteen := a.As16()
			copy(to[i*size:], sixteen[:])
		} else {
			four := a.As4()
			copy(to[i*size:], four[:])
		}
	}
	l.slot += slots
}

// wake has those who wait look again, for what stands outside the log.
func (l *queryLog) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeLocked()
}

func (l *queryLog) wakeLocked() {
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
}

func (l *queryLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chunks, l.pages, l.slot, l.first = nil, nil, 0, l.next
}

// logView is the log at one moment.
type logView struct {
	chunks      []*chunk
	pages       []*page
	first, next uint64
}

func (l *queryLog) view() logView {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.viewLocked()
}

func (l *queryLog) viewLocked() logView { return logView{l.chunks, l.pages, l.first, l.next} }

// viewAndWait returns the log now and a channel that is closed when there is more.
func (l *queryLog) viewAndWait() (logView, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grown == nil {
		l.grown = make(chan struct{})
	}
	return l.viewLocked(), l.grown
}

// last is the highest Seq given so far; 0 if none.
func (v logView) last() uint64 { return v.next - 1 }

// each calls yield with every match in rising order until it returns false.
func (v logView) each(m *matcher, yield func(Query) bool) {
	for seq := max(v.first, m.after+1); seq < v.next; seq++ {
		at := seq - v.first
		r := &v.chunks[at/chunkSize][at%chunkSize]
		if m.matches(r) && !yield(r.query(seq, v.pages)) {
			return
		}
	}
}
