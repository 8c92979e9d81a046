-- For FreeSWITCH 1.10 with mod_lua, mod_curl and mod_hash, written from its documentation. Not tried.
-- In the dialplan: <action application="lua" data="junctor.lua"/>. A call from a cluster continues with the variable
-- junctor_cluster; one from elsewhere is refused with 403.

local url = "http://127.0.0.1:8000/v2"
local key = "KEY"

local json = require "cjson"
local api = freeswitch.API()
local source = session:getVariable("sip_network_ip")

local function ask(path)
  local known = api:executeString("hash select/junctor/" .. path)
  local at, text = known:match("^(%d+) (.*)$")
  if at and os.time() < tonumber(at) then return json.decode(text) end
  local body = api:executeString("curl " .. url .. path .. " append_headers X-Auth-Token:" .. key .. " timeout 2")
  local good, response = pcall(json.decode, body)
  if good and response.status == "success" then
    api:executeString("hash insert/junctor/" .. path .. "/" .. (os.time() + response.max_age_s) .. " " .. body)
    return response
  end
  return text and json.decode(text) -- junctor is away: what was known last
end

local response = ask("/routing/lookup?direction=outbound&ip=" .. source)
if response and response.data[1] then
  session:setVariable("junctor_cluster", response.data[1].cluster_id)
else
  session:execute("respond", response and "403 Forbidden" or "503 Try Again Later")
end
