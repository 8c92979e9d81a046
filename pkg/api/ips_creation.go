package api

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"junctor/pkg/crossbar"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/ipbatch"
)

// What a bulk creation holds in memory is about so many bytes for each address, and so many more for each of those that
// are written in one call of the store.
const (
	bytesPerCreated = 256
	bytesPerWritten = 8 << 10
)

// createIPs creates addresses in bulk. What is wrong with an entry refuses the entry, and what is wrong around the
// entries refuses the request.
func (s *Server) createIPs(r *crossbar.Request, data document.Document, dryRun bool) (crossbar.Reply, error) {
	if single := data["ip"]; single != nil {
		return crossbar.Reply{}, fault.Finding("ip", "invalid", "ip and ips exclude each other", map[string]any{"value": single})
	}
	refused, err := s.validateCreation(data)
	if err != nil {
		return crossbar.Reply{}, err
	}
	request := dedicatedip.CreateManyRequest{DryRun: dryRun, By: actor(r)}
	var indexes []string // in data, of the entries of the request
	list, _ := data["ips"].([]any)
	for i, item := range list {
		if index := strconv.Itoa(i); refused[index] == nil {
			object, _ := item.(map[string]any)
			request.Entries = append(request.Entries, entryOf(object, data))
			indexes = append(indexes, index)
		}
	}
	size := ipbatch.Size(request.Entries, dedicatedip.MaxCreated)
	if err := r.HoldResponse(size*bytesPerCreated + min(size, dedicatedip.CreatedAtOnce)*bytesPerWritten); err != nil {
		return crossbar.Reply{}, err
	}
	done, err := s.Pool.CreateMany(r.Context(), request)
	if err != nil {
		return crossbar.Reply{}, err
	}
	for i, codes := range done.Refused {
		at, _ := strconv.Atoi(i)
		refused[indexes[at]] = codes
	}
	return crossbar.Reply{Nothing: dryRun, Data: map[string]any{
		"created": listOf(done.Created), "unchanged": listOf(done.Unchanged), "refused": refused,
	}}, nil
}

// listOf returns a list that is JSON's empty list if there is nothing in it.
func listOf(ids []string) []string { return append([]string{}, ids...) }

// validateCreation validates a list of entries and what is around it. It returns what is wrong with entries, by index; err
// is what is wrong around them.
func (s *Server) validateCreation(data document.Document) (refused fault.Fields, err error) {
	refused = fault.Fields{}
	err = s.Schemas.Validate("ips_creation", map[string]any(data))
	invalid, ok := errors.AsType[*fault.Error](err)
	if !ok || invalid.Kind != fault.Invalid {
		return refused, err
	}
	found, _ := invalid.Data.(fault.Fields)
	around := fault.Fields{}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		inList, isEntry := strings.CutPrefix(path, "ips.")
		index, field, _ := strings.Cut(inList, ".")
		switch {
		case !isEntry:
			around[path] = found[path]
		case refused[index] == nil:
			refused[index] = refusal(field, found[path])
		}
	}
	return refused, around.Err()
}

// refusal returns what is wrong with an entry, of which a field has these findings. The field is empty for the entry.
func refusal(field string, codes map[string]any) map[string]any {
	code := slices.Min(slices.Collect(maps.Keys(codes)))
	detail, _ := codes[code].(map[string]any)
	message, _ := detail["message"].(string)
	if field != "" {
		message = field + ": " + message
	}
	one := map[string]any{"message": message}
	if value, ok := detail["value"]; ok {
		one["value"] = value
	}
	return map[string]any{"invalid": one}
}

// entryOf returns an entry of a list, which is valid. The defaults stand around the list.
func entryOf(object, defaults document.Document) ipbatch.Entry {
	e := ipbatch.Entry{
		IP: object.String("ip"), CIDR: object.String("cidr"), Range: object.String("range"), All: object.Bool("all"),
		Zone: object.String("zone"), Host: object.String("host"), Notes: object.String("notes"),
	}
	if e.Zone == "" {
		e.Zone = defaults.String("zone")
	}
	if e.Host == "" {
		e.Host = defaults.String("host")
	}
	if _, said := object["all"]; !said {
		e.All = defaults.Bool("all")
	}
	return e
}
