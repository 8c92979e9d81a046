package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// statistician is _stats, over numbers, what _stats gave, and arrays of such of one length.
type statistician struct{}

func (s statistician) reduce(ctx context.Context, _, values []json.RawMessage) (json.RawMessage, error) {
	return s.rereduce(ctx, values)
}

func (statistician) rereduce(_ context.Context, values []json.RawMessage) (json.RawMessage, error) {
	var total []stats
	isArray := false
	for i, raw := range values {
		list, array, err := decodeStats(raw)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			total, isArray = list, array
			continue
		}
		if array != isArray || len(list) != len(total) {
			return nil, statsError(raw)
		}
		for j := range total {
			total[j].merge(list[j])
		}
	}
	switch {
	case isArray:
		return json.Marshal(total)
	case len(total) == 0:
		return json.Marshal(stats{})
	}
	return json.Marshal(total[0])
}

// stats is what _stats knows of some numbers.
type stats struct {
	Sum    float64 `json:"sum"`
	Count  float64 `json:"count"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	SumSqr float64 `json:"sumsqr"`
}

func (s *stats) merge(other stats) {
	s.Sum += other.Sum
	s.Count += other.Count
	s.Min = min(s.Min, other.Min)
	s.Max = max(s.Max, other.Max)
	s.SumSqr += other.SumSqr
}

// decodeStats reads a value, and whether it is an array of them.
func decodeStats(raw json.RawMessage) (list []stats, array bool, err error) {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || elements == nil {
		one, err := decodeOneStats(raw)
		return []stats{one}, false, err
	}
	list = make([]stats, len(elements))
	for i, element := range elements {
		if list[i], err = decodeOneStats(element); err != nil {
			return nil, true, statsError(raw)
		}
	}
	return list, true, nil
}

// decodeOneStats reads a number, or an object with all five members.
func decodeOneStats(raw json.RawMessage) (stats, error) {
	var number *float64
	if json.Unmarshal(raw, &number) == nil && number != nil {
		n := *number
		return stats{Sum: n, Count: 1, Min: n, Max: n, SumSqr: n * n}, nil
	}
	var s struct{ Sum, Count, Min, Max, SumSqr *float64 }
	if json.Unmarshal(raw, &s) != nil ||
		s.Sum == nil || s.Count == nil || s.Min == nil || s.Max == nil || s.SumSqr == nil {
		return stats{}, statsError(raw)
	}
	return stats{*s.Sum, *s.Count, *s.Min, *s.Max, *s.SumSqr}, nil
}

// statsError is CouchDB's wording.
func statsError(value json.RawMessage) error {
	return &Error{http.StatusInternalServerError, fmt.Sprintf(
		"The _stats function requires that map values be numbers or arrays of numbers, not '%s'", value)}
}
