package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// row is a row of a table: an operation of junctor, and the same work without it.
type row struct {
	what    string
	clients int
	do      [columns]operation // nil is not measured
	samples [columns][]sample  // one for each round
}

// The columns with rates.
const (
	junctor = iota
	bare
	plain // the same endpoints, written the simplest way
	columns
)

// measure fills the samples of rows: after a short turn that does not count each operation has one turn in every round,
// those of a row one after the other. Every other round is in reverse order.
func (b *bench) measure(ctx context.Context, rows []*row) error {
	order := slices.Clone(rows)
	for round := range b.rounds + 1 {
		for _, r := range order {
			turn := b.turn
			if round == 0 {
				turn /= 4
			}
			if err := r.take(ctx, b.http, turn); err != nil {
				return err
			}
			if round == 0 {
				r.samples = [columns][]sample{}
			}
		}
		slices.Reverse(order)
	}
	return nil
}

// take gives each operation of a row a turn.
func (r *row) take(ctx context.Context, http client, turn time.Duration) error {
	for column, do := range r.do {
		if do == nil {
			continue
		}
		http.CloseIdleConnections() // a server may be closing them just now, and a write is not sent again
		got, err := repeat(ctx, r.clients, turn, do)
		if err != nil {
			return fmt.Errorf("%s: %w", r.what, err)
		}
		r.samples[column] = append(r.samples[column], got)
	}
	return nil
}

// rate returns the median of a column.
func (r *row) rate(column int) float64 {
	return median(r.samples[column], func(s sample) float64 { return s.rate })
}

// ratio returns the median of the rounds' own ratios of junctor's rate to that of a column.
func (r *row) ratio(column int) float64 {
	var ratios []float64
	for round, s := range r.samples[junctor] {
		ratios = append(ratios, s.rate/r.samples[column][round].rate)
	}
	return median(ratios, func(ratio float64) float64 { return ratio })
}

// median returns the middle figure of samples, of an even number the lower one.
func median[S any, F float64 | time.Duration](samples []S, figure func(S) F) F {
	figures := make([]F, len(samples))
	for i, s := range samples {
		figures[i] = figure(s)
	}
	slices.Sort(figures)
	return figures[(len(figures)-1)/2]
}

func rounded(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// english prints numbers with commas.
var english = message.NewPrinter(language.English)

// print prints what was measured on w as a table of Markdown. beside says what is bare.
func (b *bench) print(w *world, beside string, rows []*row) error {
	english.Fprintf(b.out, "\n## %s\n\nBare: %s.\n\n", w.name(), beside)
	table := tabwriter.NewWriter(b.out, 0, 0, 1, ' ', 0)
	cells := []string{"", "clients", "junctor /s", "p50", "p99", "bare /s", "ratio", "plain /s", "ratio"}
	rule := strings.Split("---,--:,--:,--:,--:,--:,--:,--:,--:", ",")
	for _, line := range [][]string{cells, rule} {
		fmt.Fprintln(table, "| "+strings.Join(line, "\t| ")+"\t|")
	}
	for _, r := range rows {
		ours := r.samples[junctor]
		english.Fprintf(table, "| %s\t| %d\t| %.0f\t| %v\t| %v", r.what, r.clients, r.rate(junctor),
			rounded(median(ours, func(s sample) time.Duration { return s.p50 })),
			rounded(median(ours, func(s sample) time.Duration { return s.p99 })))
		for _, column := range []int{bare, plain} {
			if r.samples[column] == nil {
				fmt.Fprint(table, "\t|\t|")
				continue
			}
			english.Fprintf(table, "\t| %.0f\t| %.2f", r.rate(column), r.ratio(column))
		}
		fmt.Fprintln(table, "\t|")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return b.printServer(w)
}

// printServer prints how long the server of w took to start and how much memory it has.
func (b *bench) printServer(w *world) error {
	after, err := w.server.anonymous()
	if err != nil {
		return err
	}
	text := fmt.Sprintf(
		"\nStart to the first response: %v (median of %d). Anonymous memory: %d MiB when warm, %d MiB after this.",
		median(w.starts, func(d time.Duration) time.Duration { return d }).Round(time.Millisecond), len(w.starts),
		w.warm>>20, after>>20)
	if file, err := os.Stat(w.file()); err == nil {
		text += english.Sprintf(" File: %d MiB.", file.Size()>>20)
	}
	_, err = io.WriteString(b.out, text+"\n")
	return err
}
