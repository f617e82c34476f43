-- Requests: where they wait, claimed with a lease, settled once.
local function held(seq, line, token)
  local s, t, attempt = state(seq, line)
  return s == RUNNING and t == tonumber(token), attempt
end
local function share(rows, count) -- one at a time to the lane that then runs least
  for _ = 1, count do
    local least
    for _, row in ipairs(rows) do
      if row.share < row.queued and (not least or row.running + row.share < least.running + least.share) then
        least = row
      end
    end
    if not least then return end
    least.share = least.share + 1
  end
end
local function first(lane, count, most)
  local key, found = P .. 'z:' .. lane, {}
  if not most then
    local popped = call('ZPOPMIN', key, count)
    for at = 1, #popped, 2 do found[#found + 1] = popped[at] end
    return found
  end
  for urgency = 0, 7 do
    if #found >= count then break end
    local stop = '(' .. urgency .. string.format('%013x', most + 1)
    for _, member in ipairs(call('ZRANGEBYLEX', key, '[' .. urgency, stop, 'LIMIT', 0, count - #found)) do
      found[#found + 1] = member
    end
  end
  if #found > 0 then call('ZREM', key, unpack(found)) end
  return found
end

function ops.lanes()
  local found = {}
  for _, lane in ipairs(call('SMEMBERS', P .. 'active')) do
    found[#found + 1] = {lane, call('HMGET', P .. 'l:' .. lane, 'route', 'tenant', 'queued', 'running')}
  end
  return found
end
function ops.waiting()
  if #ARGV == 1 then return tonumber(call('GET', P .. 'waiting') or 0) end
  return tonumber(call('HGET', P .. 'waits', ARGV[2]) or 0)
end
function ops.oldest() -- lanes: each one's oldest batch of which something waits for its turn
  local found = {}
  for at = 2, #ARGV do
    local least
    for urgency = 0, 7 do
      local from, to = '[' .. urgency, '(' .. (urgency + 1)
      local member = call('ZRANGEBYLEX', P .. 'z:' .. ARGV[at], from, to, 'LIMIT', 0, 1)[1]
      local seq = member and string.sub(member, 2, 14)
      if seq and (not least or seq < least) then least = seq end
    end
    if least then found[#found + 1] = {ARGV[at], whole(tonumber(least, 16))} end
  end
  return found
end
function ops.claim() -- count, until, made before, lanes
  local rows, most = {}, nil
  if ARGV[4] ~= '' then most = tonumber(call('ZREVRANGEBYSCORE', P .. 'made', ARGV[4], '-inf', 'LIMIT', 0, 1)[1] or -1) end
  for at = 5, #ARGV do
    local found = call('HMGET', P .. 'l:' .. ARGV[at], 'queued', 'running', 'turn')
    local queued = tonumber(found[1] or 0)
    if queued > 0 then
      rows[#rows + 1] = {
        lane = ARGV[at], queued = queued, running = tonumber(found[2]), turn = tonumber(found[3]), share = 0}
    end
  end
  table.sort(rows, function(a, b)
    if a.running ~= b.running then return a.running < b.running end
    if a.turn ~= b.turn then return a.turn < b.turn end
    return tonumber(a.lane) < tonumber(b.lane)
  end)
  share(rows, tonumber(ARGV[2]))
  local tasks, batches, seen = {}, {}, {}
  for _, row in ipairs(rows) do
    local got = row.share > 0 and first(row.lane, row.share, most) or {}
    for _, member in ipairs(got) do
      local seq, line = whole(tonumber(string.sub(member, 2, 14), 16)), whole(tonumber(string.sub(member, 31, 35), 16))
      local _, token, attempt = state(seq, line)
      become(seq, line, RUNNING, token + 1, attempt + 1)
      call('ZADD', P .. 'leases', ARGV[3], seq .. ':' .. line)
      tasks[#tasks + 1] = {
        seq, line, token + 1, attempt + 1, call('HGET', bucket('q', seq, line), line), call('HGET', P .. 'l:' .. row.lane, 'route')}
      if not seen[seq] then
        seen[seq] = true
        batches[#batches + 1] = shown(seq)
      end
    end
    if #got > 0 then
      move(row.lane, -#got, #got)
      call('HSET', P .. 'l:' .. row.lane, 'turn', call('INCR', P .. 'turn'))
    end
  end
  return {tasks, batches}
end
function ops.settle() -- seq, line, token, state, now, result
  local seq, line = ARGV[2], ARGV[3]
  local holds, attempt = held(seq, line, ARGV[4])
  if not holds then return 0 end
  call('ZREM', P .. 'leases', seq .. ':' .. line) -- first: no memory is asked for, so a full server takes the rest too
  call('HSET', bucket('r', seq, line), line, ARGV[7])
  become(seq, line, ARGV[5], ARGV[4], attempt)
  local _, lane = record(seq, line)
  move(lane, 0, -1)
  call('HINCRBY', batch(seq), COUNTED[tonumber(ARGV[5])], 1)
  counted(seq, ARGV[6])
  return 1
end
function ops.put_back() -- seq, line, token, ready or nothing
  local seq, line = ARGV[2], ARGV[3]
  local holds, attempt = held(seq, line, ARGV[4])
  if not holds then return 0 end
  call('ZREM', P .. 'leases', seq .. ':' .. line)
  local _, lane = record(seq, line)
  if ARGV[5] == '' then
    enqueue(seq, line)
    become(seq, line, QUEUED, ARGV[4], attempt - 1)
  else
    call('ZADD', P .. 'pauses', ARGV[5], seq .. ':' .. line)
    become(seq, line, WAITING, ARGV[4], attempt)
  end
  move(lane, 1, -1)
  return 1
end
function ops.renew() -- until, then seq, line, token of each
  for at = 3, #ARGV, 3 do
    if held(ARGV[at], ARGV[at + 1], ARGV[at + 2]) then
      call('ZADD', P .. 'leases', ARGV[2], ARGV[at] .. ':' .. ARGV[at + 1])
    end
  end
end
function ops.ripen() -- now, longest lease, longest pause; 1: there is more
  local now, more = tonumber(ARGV[2]), 0
  for at, name in ipairs({'leases', 'pauses'}) do
    local key, longest = P .. name, whole(now + ARGV[at + 2])
    -- Beyond what any lease can be: the clock that it was given by has moved back since.
    for _, one in ipairs(call('ZRANGEBYSCORE', key, '(' .. longest, '+inf', 'LIMIT', 0, MANY)) do
      call('ZADD', key, longest, one)
    end
    local over = call('ZRANGEBYSCORE', key, '-inf', ARGV[2], 'LIMIT', 0, MANY)
    for _, one in ipairs(over) do
      local seq, line = string.match(one, '^(%d+):(%d+)$')
      local _, token, attempt = state(seq, line)
      call('ZREM', key, one)
      local lane = enqueue(seq, line)
      become(seq, line, QUEUED, token, attempt)
      if name == 'leases' then move(lane, 1, -1) end
    end
    if #over > 0 then changed() end
    if #over == MANY then more = 1 end
  end
  local giving = call('SRANDMEMBER', P .. 'giving')
  if giving then more = math.max(more, step(giving, ARGV[2])) end
  return more
end
local function position(seq)
  local _, lane = record(seq, 0)
  if not lane then return false end
  local ahead = call('ZLEXCOUNT', P .. 'z:' .. lane, '-', '(' .. field(seq, 'urgency') .. string.format('%013x', seq))
  return {(state(seq, 0)), call('HGET', P .. 'l:' .. lane, 'route'), ahead}
end
function ops.position() return position(ARGV[2]) end
function ops.seen() -- the version that is known, then batches; false: nothing has changed since
  local version, found = call('GET', P .. 'version') or '0', {}
  if version == ARGV[2] then return false end
  for at = 3, #ARGV do
    local seq = ARGV[at]
    if call('EXISTS', batch(seq)) == 1 then
      found[#found + 1] = {shown(seq), not field(seq, 'ended') and position(seq)}
    end
  end
  return {version, found}
end
