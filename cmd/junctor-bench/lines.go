package main

import (
	"fmt"
	"os"
	"time"

	"junctor/pkg/store"
)

// line is one of the table: a figure, what is beside it, and what was wanted.
type line struct {
	what, where      string
	figure, p50, p99 string
	beside, other    string
	ratio, target    string
}

// The most that is wanted of a server of so many addresses: time until its first answer, and memory of its own.
var (
	longestStart = map[int]time.Duration{100_000: 1500 * time.Millisecond, 1_000_000: 10 * time.Second}
	mostMemory   = map[int]int64{1_000_000: 600 << 20}
)

// mostAttempts is how many writes to the pool an allocation may take among many.
const mostAttempts = 1.2

func (p *phase) lines() (lines []line, err error) {
	for _, pr := range p.pairs {
		lines = append(lines, pr.line())
	}
	for _, s := range p.all {
		if attempts := s.median(func(got sample) float64 { return got.Attempts }); attempts > 0 {
			lines = append(lines, line{what: "writes to the pool, each allocation: " + s.what, where: s.where,
				figure: fmt.Sprintf("%.2f", attempts), target: atMost(attempts, mostAttempts, "%.1f")})
		}
	}
	for _, w := range p.worlds {
		more, err := p.ofServer(w)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

func (pr pair) line() line {
	s, o := pr.ours, pr.beside
	l := line{what: s.what, where: s.where, figure: s.figure(), beside: o.what, other: o.figure(),
		p50:   milliseconds(s.median(func(got sample) float64 { return float64(got.P50) })),
		p99:   milliseconds(s.median(func(got sample) float64 { return float64(got.P99) })),
		ratio: fmt.Sprintf("%.2f", pr.ratio())}
	if s.what == o.what {
		l.beside = "the same, " + o.where
	}
	if pr.target > 0 {
		l.target = fmt.Sprintf("≥ %g", pr.target) + metOrMissed(pr.ratio() >= pr.target)
	}
	return l
}

func (s *series) figure() string { return english.Sprintf("%.0f %s", s.rate(), s.unit.name) }

// ofServer tells what a world's server takes.
func (p *phase) ofServer(w *world) ([]line, error) {
	what := w.kind()
	took := median(w.starts)
	start := line{what: what + ": start to first answer", where: w.name(), figure: seconds(took)}
	loaded, err := anonymous(w.server.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	memory := line{what: what + ": RssAnon after all this", where: w.name(), figure: mebibytes(loaded),
		beside: "once ready", other: mebibytes(w.ready)}
	if store.IsCouchDB(w.dsn) {
		return []line{start, memory}, nil
	}
	if bound := longestStart[w.addresses()]; bound > 0 {
		start.target = atMost(took, bound, "%s")
	}
	if bound := mostMemory[w.addresses()]; bound > 0 {
		memory.target = "≤ " + mebibytes(bound) + metOrMissed(loaded <= bound)
	}
	info, err := os.Stat(w.file())
	if err != nil {
		return nil, err
	}
	file := line{what: what + ": file", where: w.name(), figure: mebibytes(info.Size())}
	return []line{start, memory, file}, nil
}

func atMost[T float64 | time.Duration](figure, bound T, form string) string {
	return fmt.Sprintf("≤ "+form, bound) + metOrMissed(figure <= bound)
}

func metOrMissed(met bool) string {
	if met {
		return ", met"
	}
	return ", missed"
}

func milliseconds(nanoseconds float64) string { return fmt.Sprintf("%.2f ms", nanoseconds/1e6) }

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", (n+1<<19)>>20) }
