package pod

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// logInterval is how late a line may be seen.
	logInterval = 100 * time.Millisecond
	// findEvery is how many intervals pass between two looks for new files.
	findEvery = 5
	// maxLogBytes is how much text is kept of all files.
	maxLogBytes = 32 << 20
	// maxLogRead is how much of a file is read at a time.
	maxLogRead = 8 << 20
	// maxLogLine is how long a line may be: what is longer is taken for several.
	maxLogLine = 1 << 20
)

// LogLine is a line that the proxy has written to a log file or sent to syslog.
type LogLine struct {
	At   time.Time `json:"at"`   // when it was seen, at most 0.1 s after it was written
	File string    `json:"file"` // in the proxy's container; of syslog, what it was sent to
	Text string    `json:"text"`
}

// Logs are the lines of all log files of the proxy and of syslog, in the order in which they were seen.
type Logs struct {
	Lines   []LogLine `json:"lines"`
	Dropped int       `json:"dropped"` // lines that were too many to be kept
	Error   string    `json:"error,omitempty"`
}

// logFiles follows the files to which the proxy's processes append, wherever they are:
// they are found by the descriptors that hold them open. What the proxy prints is not
// among them.
type logFiles struct {
	find   func() ([]openLog, error)
	limit  int // of the text that is kept, in bytes
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	known   map[fileID]*followed
	lines   []LogLine
	bytes   int
	dropped int
	err     error
}

// fileID is a file, whatever its name is by now.
type fileID struct{ device, inode uint64 }

// openLog is a log file that a process holds open.
type openLog struct {
	id   fileID
	name string // in the process's own file system
	via  string // where it can be opened from here
}

// followed is a file that is being read, and the end of it that is no line yet.
type followed struct {
	name   string
	file   *os.File
	offset int64
	rest   []byte
}

func followLogs(find func() ([]openLog, error), limit int) *logFiles {
	ctx, cancel := context.WithCancel(context.Background())
	l := &logFiles{find: find, limit: limit, cancel: cancel, done: make(chan struct{}), known: map[fileID]*followed{}}
	go l.run(ctx)
	return l
}

func (l *logFiles) run(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(logInterval)
	defer tick.Stop()
	for n := 0; ; n++ {
		l.look(n%findEvery == 0)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look reads what has been written, also to files that are new if it is asked for.
func (l *logFiles) look(find bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if find {
		var open []openLog
		if open, l.err = l.find(); l.err != nil {
			return
		}
		for _, o := range open {
			if l.known[o.id] != nil {
				continue
			}
			if file, err := os.Open(o.via); err == nil { // else its process has just ended
				l.known[o.id] = &followed{name: o.name, file: file}
			}
		}
	}
	now := time.Now()
	for _, f := range l.known {
		for _, text := range f.read() {
			l.keep(LogLine{At: now, File: f.name, Text: text})
		}
	}
}

// keep keeps a line unless there are too many. l.mu is held.
func (l *logFiles) keep(line LogLine) {
	if l.bytes += len(line.Text); l.bytes > l.limit {
		l.dropped++
		return
	}
	l.lines = append(l.lines, line)
}

// told keeps a line that was not read from a file.
func (l *logFiles) told(from, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(LogLine{At: time.Now(), File: from, Text: text})
}

// read returns the whole lines that have come since the last time. A file that has become
// shorter is read from its beginning.
func (f *followed) read() []string {
	info, err := f.file.Stat()
	if err != nil {
		return nil
	}
	if info.Size() < f.offset {
		f.offset, f.rest = 0, nil
	}
	if info.Size() == f.offset {
		return nil
	}
	added, err := io.ReadAll(io.NewSectionReader(f.file, f.offset, min(info.Size()-f.offset, maxLogRead)))
	if err != nil {
		return nil
	}
	f.offset += int64(len(added))
	text := append(f.rest, added...)
	end := bytes.LastIndexByte(text, '\n') + 1
	if len(text)-end > maxLogLine {
		end = len(text)
	}
	f.rest = bytes.Clone(text[end:])
	return linesOf(text[:end])
}

// linesOf are the lines of a text, without what ends each. An end that is missing counts.
func linesOf(text []byte) []string {
	var lines []string
	for line := range bytes.Lines(text) {
		lines = append(lines, string(bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))))
	}
	return lines
}

// logs are the lines so far, with those of this moment.
func (l *logFiles) logs() Logs {
	l.look(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	logs := Logs{Lines: append([]LogLine{}, l.lines...), Dropped: l.dropped}
	if l.err != nil {
		logs.Error = l.err.Error()
	}
	return logs
}

func (l *logFiles) stop() {
	l.cancel()
	<-l.done
	for _, f := range l.known {
		_ = f.file.Close() // it was only read
	}
}

// openLogs are the log files of all processes of the proxy.
func (p *procs) openLogs() ([]openLog, error) {
	entries, err := p.fs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("pod: list /proc: %w", err)
	}
	var found []openLog
	for _, entry := range entries {
		ns, err := p.namespace(entry.PID)
		if err == nil && ns == p.net && entry.PID != p.own {
			var logs []openLog
			logs, err = openLogsOf(entry.PID)
			found = append(found, logs...)
		}
		if err := ignoreEnded(err); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// openLogsOf are the files that a process has open to append to.
func openLogsOf(pid int) ([]openLog, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	descriptors, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return nil, err
	}
	var found []openLog
	for _, d := range descriptors {
		via := dir + "/fd/" + d.Name()
		name, err := os.Readlink(via)
		if err != nil || !strings.HasPrefix(name, "/") || strings.HasPrefix(name, "/dev/") || !appends(dir+"/fdinfo/"+d.Name()) {
			continue
		}
		info, err := os.Stat(via)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			found = append(found, openLog{id: fileID{uint64(stat.Dev), stat.Ino}, name: name, via: via})
		}
	}
	return found, nil
}

// appends says whether a descriptor was opened for writing at the end of its file.
func appends(fdinfo string) bool {
	text, err := os.ReadFile(fdinfo)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		octal, is := strings.CutPrefix(line, "flags:")
		if !is {
			continue
		}
		flags, err := strconv.ParseUint(strings.TrimSpace(octal), 8, 64)
		return err == nil && flags&syscall.O_APPEND != 0 && flags&(syscall.O_WRONLY|syscall.O_RDWR) != 0
	}
	return false
}
