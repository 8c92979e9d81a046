package api_test

import (
	"encoding/base64"

	"junctor/pkg/account"
)

// user is a user in kazoo-db.
type user struct {
	account  string // by its id
	realm    string
	id       string
	name     string
	password string
}

// users are the users by the names that the recordings give their tokens.
var users = map[string]user{
	"admin": {accountM, "master.example.com", "51c9f3c7439ce0175b18c22342fd12bf", "admin", "secret-master"},
	"alice": {accountA, "a.example.com", "97a0c7b50967fbbe2f9e94f7687fb33f", "alice", "secret-alice"},
	"adam":  {accountA, "a.example.com", "cb44be27cfeb26cdf7d2aa76e31f3b8d", "adam", "secret-adam"},
	"bob":   {accountB, "b.example.com", "63c2344ad542ab866bc2de22f5577f05", "bob", "secret-bob"},
	"ann":   {accountA1, "a1.example.com", "b3d1411e6af7668262fcefaae9de4612", "ann", "secret-ann"},
}

// hash returns what the user logs in with, and keeps it and the password out of the log.
func (u user) hash(kind string) string {
	hash := account.HashPassword(kind, u.name, u.password).Value
	keep(hash)
	keep(u.password)
	return hash
}

// login returns the body of a login.
func (u user) login() string {
	return `{"data":{"credentials":"` + u.hash(account.MD5) + `","account_realm":"` + u.realm + `"}}`
}

// basic returns the Authorization of the user.
func (u user) basic() string {
	text := base64.StdEncoding.EncodeToString([]byte(u.account + ":" + u.hash(account.MD5)))
	keep(text)
	return "Basic " + text
}
