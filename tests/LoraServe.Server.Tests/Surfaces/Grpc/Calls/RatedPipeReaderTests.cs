using System.IO.Pipelines;
using Grpc.Core;
using LoraServe.Server.Surfaces.Grpc.Calls;
using Microsoft.Extensions.Time.Testing;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Calls;

public sealed class RatedPipeReaderTests
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _pipe = new();
    private readonly RatedPipeReader _reader;

    public RatedPipeReaderTests() => _reader = new RatedPipeReader(_pipe.Reader, s_pause, _time);

    [Fact]
    public async Task Read_NothingComes_FailsWhenPatienceIsUsedUp()
    {
        Task<ReadResult> read = _reader.ReadAsync().AsTask();
        _time.Advance(s_pause - TimeSpan.FromSeconds(1));
        Assert.False(read.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        RpcException end = await Assert.ThrowsAsync<RpcException>(() => read);
        Assert.Equal(StatusCode.Aborted, end.StatusCode);
        Assert.Contains("60 s", end.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_OneByteNowAndThen_FailsToo()
    {
        RpcException end = await Assert.ThrowsAsync<RpcException>(() => SendAsync(bytes: 1, every: TimeSpan.FromSeconds(20), times: 10));
        Assert.Equal(StatusCode.Aborted, end.StatusCode);
    }

    [Fact]
    public Task Read_SlowlyButSteadily_GoesOnForEver() => SendAsync(bytes: 12_000, every: TimeSpan.FromSeconds(45), times: 1000);

    [Fact]
    public async Task Read_WhatWasLeftUnread_IsNotCountedTwice()
    {
        // A large part of a message is there and never complete: the reader looks at all of it again and again.
        RpcException end = await Assert.ThrowsAsync<RpcException>(() => SendAsync(bytes: 100, every: TimeSpan.FromSeconds(20), times: 10, consumes: false, first: 30_000));
        Assert.Equal(StatusCode.Aborted, end.StatusCode);
    }

    [Fact]
    public async Task Read_TimeInWhichNobodyReads_DoesNotCount()
    {
        await _pipe.Writer.WriteAsync(new byte[10]);
        _reader.AdvanceTo((await _reader.ReadAsync()).Buffer.End);
        _time.Advance(10 * s_pause);
        Task<ReadResult> read = _reader.ReadAsync().AsTask();
        _time.Advance(s_pause / 2);
        await _pipe.Writer.WriteAsync(new byte[10]);

        Assert.Equal(10, (await read).Buffer.Length);
    }

    [Fact]
    public async Task Read_End_IsTold()
    {
        await _pipe.Writer.CompleteAsync();

        Assert.True((await _reader.ReadAsync()).IsCompleted);
    }

    private async Task SendAsync(int bytes, TimeSpan every, int times, bool consumes = true, int first = 0)
    {
        if (first > 0)
        {
            await _pipe.Writer.WriteAsync(new byte[first]);
            ReadResult result = await _reader.ReadAsync();
            _reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }

        for (int i = 0; i < times; i++)
        {
            Task<ReadResult> read = _reader.ReadAsync().AsTask();
            _time.Advance(every);
            await _pipe.Writer.WriteAsync(new byte[bytes]);
            ReadResult result = await read;
            _reader.AdvanceTo(consumes ? result.Buffer.End : result.Buffer.Start, result.Buffer.End);
        }
    }
}
