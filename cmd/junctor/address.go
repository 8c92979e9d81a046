package main

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"junctor/pkg/store"
	"junctor/pkg/store/embedded"
)

// The errors of this file never repeat the text: there may be a password in it, in an unexpected place.

// encoding says how a password goes into a URL.
const encoding = "in user and password, all but letters, digits and -._~ has to be percent-encoded: / is %2F, @ is %40"

// checkStore refuses what can't be a store.
func checkStore(dsn string) error {
	switch {
	case dsn == "":
		return errors.New("must be a folder, memory:, or an http:// or https:// URL")
	case dsn == embedded.Memory:
		return nil
	case !store.IsCouchDB(dsn):
		return checkFolderName(dsn)
	}
	u, err := url.Parse(dsn)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || hasStrayAt(dsn) {
		return errors.New("this is not the URL of a CouchDB, http(s)://USER:PASSWORD@HOST:PORT; " + encoding)
	}
	return nil
}

// checkFolderName refuses the name of a folder that is more likely an address: a mistyped URL, HOST:PORT, or
// USER:PASSWORD@HOST. What begins with / or ./ is a folder in any case.
func checkFolderName(name string) error {
	if strings.Contains(name, "://") || strings.HasPrefix(name, "//") {
		return errors.New("must be a folder, memory:, or an http:// or https:// URL")
	}
	if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") {
		return nil
	}
	first, _, _ := strings.Cut(name, "/")
	_, noAddress := netip.ParseAddr(first)
	if strings.ContainsAny(first, ":@") || noAddress == nil || first == "localhost" {
		return errors.New("this looks like the address of a server: a CouchDB is written http://USER:PASSWORD@HOST:PORT, " +
			"and a folder of such a name ./NAME")
	}
	return nil
}

// hasStrayAt reports whether there is an @ behind the host of a URL: then a part of the password was taken for the host.
func hasStrayAt(text string) bool {
	_, rest, _ := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?#")
	return end >= 0 && strings.Contains(rest[end:], "@")
}

// checkNoStrayAt refuses what hasStrayAt reports.
func checkNoStrayAt(url string) error {
	return check(!hasStrayAt(url), "there is an @ after the host; "+encoding)
}
