-- Every change of the queue, each whole or not at all. KEYS[1]: what all keys begin with, ARGV[1]: which change.
-- A request is named SEQ:LINE. Its record (q) is a 16-byte prefix key and LANE:OFFSET:LENGTH:CUSTOM_ID; its state (d)
-- is "STATE TOKEN ATTEMPT", absent until it is claimed. Both lie in hashes of 128 lines, which Redis packs densely.
local P, call = KEYS[1], redis.call
local ops, outbox = {}, {}
local QUEUED, RUNNING, WAITING, DONE = 0, 1, 2, 3
local COUNTED = {[3] = 'completed', [4] = 'failed', [5] = 'cancelled', [6] = 'expired'}
local BUCKETS, MANY = 16, 1000 -- of one step: nobody waits long for Redis

local function bucket(kind, seq, line) return P .. kind .. ':' .. seq .. ':' .. math.floor(line / 128) end
local function whole(n) return string.format('%.0f', n) end
local function batch(seq) return P .. 'b:' .. seq end
local function changed() call('INCR', P .. 'version') end -- who watches looks again
local function field(seq, name) return call('HGET', batch(seq), name) end
local function number(seq, name) return tonumber(field(seq, name) or 0) or 0 end

local function state(seq, line)
  local found = call('HGET', bucket('d', seq, line), line)
  if not found then return QUEUED, 0, 0 end
  local s, t, a = string.match(found, '^(%d+) (%d+) (%-?%d+)$')
  return tonumber(s), tonumber(t), tonumber(a)
end
local function become(seq, line, s, token, attempt)
  call('HSET', bucket('d', seq, line), line, s .. ' ' .. whole(token) .. ' ' .. whole(attempt))
end
local function record(seq, line)
  local found = call('HGET', bucket('q', seq, line), line)
  if not found then return nil end
  return string.sub(found, 1, 16), string.match(string.sub(found, 17), '^(%d+)')
end
local function place(seq, line, urgency, prefix) -- lexicographic: urgency, batch, prefix, line
  return urgency .. string.format('%013x', seq) .. prefix .. string.format('%05x', line)
end
local function enqueue(seq, line)
  local prefix, lane = record(seq, line)
  call('ZADD', P .. 'z:' .. lane, 0, place(tonumber(seq), tonumber(line), field(seq, 'urgency'), prefix))
  return lane
end
local function move(lane, queued, running)
  local key = P .. 'l:' .. lane
  local q = call('HINCRBY', key, 'queued', queued)
  local r = call('HINCRBY', key, 'running', running)
  if queued ~= 0 then
    call('INCRBY', P .. 'waiting', queued)
    local tenant = call('HGET', key, 'tenant')
    if call('HINCRBY', P .. 'waits', tenant, queued) == 0 then call('HDEL', P .. 'waits', tenant) end
  end
  call((q == 0 and r == 0) and 'SREM' or 'SADD', P .. 'active', lane)
  changed()
end
local function finished(seq)
  local n = number(seq, 'completed') + number(seq, 'failed') + number(seq, 'cancelled') + number(seq, 'expired')
  return n >= number(seq, 'total')
end
local function close(seq, now)
  for _, name in ipairs({'open', 'due', 'made', 'unread', 'ripe'}) do call('ZREM', P .. name, seq) end
  call('HSET', batch(seq), 'ended', now)
  call('ZADD', P .. 'ended', now, seq)
  local input = field(seq, 'input')
  if input ~= '' and call('HINCRBY', P .. 'uses', input, -1) <= 0 then call('HDEL', P .. 'uses', input) end
  outbox.announce(seq, now)
  changed()
end
local function counted(seq, now) -- after requests of a batch came to their end
  if not field(seq, 'begun') or field(seq, 'ended') or not finished(seq) then return end
  if field(seq, 'kind') ~= 'single' then
    call('ZADD', P .. 'ripe', seq, seq)
    return
  end
  local status = number(seq, 'cancelled') > 0 and 'cancelled' or number(seq, 'expired') > 0 and 'expired' or 'completed'
  call('HSET', batch(seq), 'status', status)
  close(seq, now)
end
local function step(seq, now) -- ends some of what waits of a batch; 1: there is more
  local ending, at = tonumber(field(seq, 'giving') or 0), number(seq, 'cursor')
  if ending == 0 or not ending then
    call('SREM', P .. 'giving', seq)
    return 0
  end
  local last, lanes, total = math.floor(number(seq, 'top') / 128), {}, 0
  local stop = math.min(last, at + BUCKETS - 1)
  for b = at, stop do
    for _, line in ipairs(call('HKEYS', P .. 'q:' .. seq .. ':' .. b)) do
      local s, token, attempt = state(seq, line)
      if s == QUEUED or s == WAITING then
        local prefix, lane = record(seq, line)
        if s == QUEUED then
          local member = place(tonumber(seq), tonumber(line), field(seq, 'urgency'), prefix)
          call('ZREM', P .. 'z:' .. lane, member)
        else
          call('ZREM', P .. 'pauses', seq .. ':' .. line)
        end
        become(seq, line, ending, token, attempt)
        lanes[lane], total = (lanes[lane] or 0) + 1, total + 1
      end
    end
  end
  for lane, n in pairs(lanes) do move(lane, -n, 0) end
  call('HINCRBY', batch(seq), COUNTED[ending], total)
  if stop < last then
    call('HSET', batch(seq), 'cursor', stop + 1)
    return 1
  end
  call('HDEL', batch(seq), 'giving', 'cursor')
  call('SREM', P .. 'giving', seq)
  counted(seq, now)
  return 0
end
local function give(seq, ending)
  if field(seq, 'giving') then return end
  call('HSET', batch(seq), 'giving', ending, 'cursor', 0)
  call('SADD', P .. 'giving', seq)
end
local function begin(seq, total, now)
  if field(seq, 'begun') or field(seq, 'ended') then return end
  if field(seq, 'status') == 'validating' then call('HSET', batch(seq), 'status', 'in_progress') end
  call('HSET', batch(seq), 'begun', now, 'total', total)
  call('ZREM', P .. 'unread', seq)
  if field(seq, 'cancelling') then give(seq, 5) end
  counted(seq, now)
  changed()
end
local function put(seq, tenant, from)
  if field(seq, 'begun') or field(seq, 'ended') or call('EXISTS', batch(seq)) == 0 then return 0 end
  local lanes, added, top = {}, {}, number(seq, 'top')
  for at = from, #ARGV, 3 do
    local route, line, rest = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local lane = lanes[route]
    if not lane then
      local name = route .. '\0' .. tenant
      lane = call('HGET', P .. 'lanes', name)
      if not lane then
        lane = whole(call('INCR', P .. 'lane'))
        call('HSET', P .. 'lanes', name, lane)
        call('HSET', P .. 'l:' .. lane, 'route', route, 'tenant', tenant, 'queued', 0, 'running', 0, 'turn', 0)
      end
      lanes[route] = lane
    end
    local kept = string.sub(rest, 1, 16) .. lane .. ':' .. string.sub(rest, 17)
    if call('HSETNX', bucket('q', seq, line), line, kept) == 1 then
      enqueue(seq, line)
      added[lane] = (added[lane] or 0) + 1
      top = math.max(top, tonumber(line))
    end
  end
  for lane, n in pairs(added) do move(lane, n, 0) end
  call('HSET', batch(seq), 'top', top)
  return 1
end
