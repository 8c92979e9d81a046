package main

import (
	"context"
	"flag"
	"strings"
	"time"

	"junctor/pkg/account"
	"junctor/pkg/billing"
	"junctor/pkg/doctor"
	"junctor/pkg/notify"
	"junctor/pkg/store"
)

func defineDoctor(fs *flag.FlagSet) task {
	asJSON := fs.Bool("json", false, "print a line of JSON")
	node := account.Node{Name: nodeName()}
	checked(fs, "zone", "", "Kazoo zone of the node that is to serve", func(text string) error {
		node.Zone = text
		return checkZone(text)
	})
	amqpURL := fs.String("amqp-url", "", "amqp(s)://USER:PASSWORD@HOST:PORT/VHOST of a Kazoo's RabbitMQ; none is not "+
		"looked at")
	kazooURL := fs.String("kazoo-url", "", "http(s)://HOST[:PORT] of the Crossbar that reconciles services; empty skips it")
	return func(p *process, operands []string) (job, error) {
		if err := noOperands("doctor", operands); err != nil {
			return job{}, err
		}
		if err := checkBroker(*amqpURL); err != nil {
			return job{}, err
		}
		if *kazooURL != "" {
			if _, err := kazooRoot(*kazooURL); err != nil {
				return job{}, usageError("--kazoo-url: " + err.Error())
			}
		}
		return reading(func(ctx context.Context, w *workplace, p *process) error {
			o := doctor.Options{AMQP: *amqpURL, Node: node, Now: time.Now}
			if *kazooURL != "" {
				kazoo, err := newKazoo(*kazooURL, w.store, node, billing.KazooOptions{})
				if err != nil {
					return err
				}
				defer kazoo.Close()
				o.Kazoo = kazoo.Check
			}
			if dsn := fs.Lookup("store").Value.String(); store.IsCouchDB(dsn) {
				o.CouchDB = dsn
			} else {
				o.Alone = true
			}
			findings := doctor.Examine(ctx, w.store, o)
			if err := p.print(*asJSON, findings, doctorRows(findings)); err != nil {
				return err
			}
			if doctor.Worst(findings) == doctor.Broken {
				return exitCode(1)
			}
			return nil
		}), nil
	}
}

func checkBroker(url string) error {
	if url == "" {
		return nil
	}
	err := notify.CheckURL(url)
	if err == nil && hasStrayAt(url) {
		err = errStrayAt
	}
	if err != nil {
		return usageError("--amqp-url: " + err.Error())
	}
	return nil
}

// textWidth keeps the table readable: two columns of it are texts.
const textWidth = 46

// doctorRows is a table with texts folded within their columns.
func doctorRows(findings []doctor.Finding) [][]string {
	rows := [][]string{{"CHECK", "STATE", "FOUND", "WHAT TO DO"}}
	for _, f := range findings {
		row := []string{f.Check, string(f.State)}
		found, remedy := fold(f.Found), fold(f.Remedy)
		for i := range max(len(found), len(remedy)) {
			rows = append(rows, append(row, line(found, i), line(remedy, i)))
			row = []string{"", ""}
		}
	}
	return rows
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// fold breaks a text at its spaces. A word that is too long for a line has one of its own.
func fold(text string) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > textWidth {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
