using LoraServe.Server.Surfaces.Http;
using LoraServe.Serving.Requests;
using Microsoft.AspNetCore.Http;

namespace LoraServe.Server.Tests.Surfaces.Http;

public class HttpFailureTests
{
    [Fact]
    public void Of_ARefusal_HasItsFieldAndWhenToComeBack()
    {
        var full = new EngineException(EngineError.QueueFull, "full") { RetryAfter = TimeSpan.FromSeconds(3) };
        var wrong = new EngineException(EngineError.InvalidSampling, "n is 0") { Field = "n" };

        Assert.Equal(new HttpFailure(429, "full", EngineError.QueueFull, null, TimeSpan.FromSeconds(3)), HttpFailure.Of(full));
        Assert.Equal(new HttpFailure(400, "n is 0", EngineError.InvalidSampling, "n"), HttpFailure.Of(wrong));
        Assert.NotNull(HttpFailure.Of(new EngineException(EngineError.ShuttingDown, "stopping"))!.RetryAfter);
    }

    [Fact]
    public void Of_WhatHttpRefuses_HasItsStatus() => Assert.Equal(413, HttpFailure.Of(new BadHttpRequestException("large", 413))!.Status);

    [Fact]
    public void Of_AFaultOfTheServer_IsNone() => Assert.Null(HttpFailure.Of(new InvalidOperationException("secret")));
}
