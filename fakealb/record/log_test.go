package record_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb/record"
)

func TestLogKeepsOrderAcrossChunks(t *testing.T) {
	var l record.Packets
	const n = 5000 // several chunks
	refs := make([]record.Ref, n)
	for i := range n {
		refs[i] = l.Add(record.Packet{Bytes: i, Seq: strconv.Itoa(i)})
	}
	l.Update(refs[3000], func(p *record.Packet) { p.Seq = "changed" })
	rows := slices.Collect(l.All())
	if len(rows) != n || l.Len() != n {
		t.Fatalf("got %d rows and length %d, want %d", len(rows), l.Len(), n)
	}
	for i, p := range rows {
		want := record.Packet{Bytes: i, Seq: strconv.Itoa(i)}
		if i == 3000 {
			want.Seq = "changed"
		}
		if p != want {
			t.Fatalf("row %d: got %+v, want %+v", i, p, want)
		}
	}
	l.Reset()
	l.Add(record.Packet{Bytes: 7})
	l.Update(refs[0], func(p *record.Packet) { p.Bytes = 99 })
	if rows := slices.Collect(l.All()); !slices.Equal(rows, []record.Packet{{Bytes: 7}}) {
		t.Errorf("after a reset, and an update of an old row: got %v, want one of 7 bytes", rows)
	}
}

// Readers see each row as it was at some moment, never half of a change.
func TestLogIsSafeWhileRead(t *testing.T) {
	var l record.Packets
	var wg sync.WaitGroup
	for writer := range 4 {
		wg.Go(func() {
			for i := range 3000 {
				text := fmt.Sprintf("%d of %d", i, writer)
				ref := l.Add(record.Packet{Seq: text, Fault: text})
				l.Update(ref, func(p *record.Packet) { p.Seq, p.Fault = "ended "+text, "ended "+text })
			}
		})
	}
	for l.Len() < 12000 {
		for p := range l.All() {
			if p.Seq != p.Fault {
				t.Fatalf("half of a change: %+v", p)
			}
		}
	}
	wg.Wait()
}

func TestRowsSurviveNDJSON(t *testing.T) {
	rows := []record.Packet{
		{
			Time: time.Unix(5, 6).UTC(), Node: netip.MustParseAddr("198.18.0.11"), Port: 80,
			Peer: netip.MustParseAddrPort("198.18.0.1:733"), Kind: record.SYN, Retransmit: true, Probe: true,
		},
		{Time: time.Unix(7, 0).UTC(), Node: netip.MustParseAddr("198.18.0.12"), Kind: record.Data, Bytes: 9, Seq: "4", Fault: "silence"},
	}
	var b bytes.Buffer
	if err := record.Write(&b, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(b.Bytes(), []byte("\n")); lines != 2 {
		t.Errorf("got %d lines, want 2", lines)
	}
	got, err := record.Read[record.Packet](&b)
	if err != nil || !reflect.DeepEqual(got, []record.Packet{rows[0], rows[1]}) {
		// An empty Peer has no text form: it comes back as it was.
		t.Errorf("got %+v, %v\nwant %+v", got, err, rows)
	}
	if _, err := record.Read[record.Packet](bytes.NewBufferString("{\"port\":1}\n{\"po")); err == nil {
		t.Error("got no error for a cut stream")
	}
}

func TestProbePorts(t *testing.T) {
	for port, want := range map[uint16]bool{699: false, 700: true, 799: true, 800: false} {
		if got := record.IsProbe(netip.AddrPortFrom(netip.IPv4Unspecified(), port)); got != want {
			t.Errorf("port %d: got %t, want %t", port, got, want)
		}
	}
}
