package poolindex

import (
	"fmt"
	"testing"
)

// BenchmarkSearch reads the first and the last page of 100 with one filter, in pools of two sizes.
func BenchmarkSearch(b *testing.B) {
	const page = 100
	for _, size := range []int{10_000, 1_000_000} {
		x := filled(size)
		for name, s := range oneFilter() {
			for what, from := range map[string]Position{"first": {}, "last": x.lastPage(b, s, page)} {
				b.Run(fmt.Sprintf("%s/%s/%d", name, what, size), func(b *testing.B) {
					for b.Loop() {
						if _, err := x.Search(b.Context(), s, from, page); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
