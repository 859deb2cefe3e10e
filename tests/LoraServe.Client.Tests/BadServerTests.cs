using System.Net;
using Grpc.Core;
using LoraServe.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace LoraServe.Client.Tests;

/// <summary>What the client makes of answers that no gRPC server would give.</summary>
public sealed class BadServerTests
{
    [Theory]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    public Task Response_WithHttpStatus_MapsToACode(int http, StatusCode expected) =>
        ExpectAsync(expected, context =>
        {
            context.Response.StatusCode = http;
            return Task.CompletedTask;
        });

    [Fact]
    public Task Response_OfAnotherContentType_IsAnError() => ExpectAsync(null, context => context.Response.WriteAsync("<html>"));

    [Fact]
    public Task Response_WithoutStatus_IsAnError() => ExpectAsync(null, context => SendAsync(context, [0, 0, 0, 0, 0]));

    [Fact]
    public Task Response_WithoutMessage_IsInternal() => ExpectAsync(StatusCode.Internal, context => SendAsync(context, [], "0"));

    [Fact]
    public Task Response_WithTwoMessages_IsInternal() => ExpectAsync(StatusCode.Internal, context => SendAsync(context, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "0"));

    [Fact]
    public Task Response_WithAHugeLength_IsResourceExhausted() => ExpectAsync(StatusCode.ResourceExhausted, context => SendAsync(context, [0, 127, 255, 255, 255, 1], "0"));

    [Fact]
    public Task Response_CutInAMessage_IsInternal() => ExpectAsync(StatusCode.Internal, context => SendAsync(context, [0, 0, 0, 0, 9, 1], "0"));

    [Fact]
    public Task Response_NotProtobuf_IsAnError() => ExpectAsync(null, context => SendAsync(context, [0, 0, 0, 0, 2, 10, 50], "0"));

    [Fact]
    public Task Response_Reset_IsNotAnEndlessWait() =>
        ExpectAsync(null, async context =>
        {
            await SendAsync(context, [0]);
            await context.Response.Body.FlushAsync();
            context.Abort();
        });

    [Fact]
    public async Task Server_NotThere_IsUnavailable()
    {
        ServerDouble server = await ServerDouble.StartAsync();
        using var client = new LoraServeClient(server.Address, new LoraServeClientOptions { MaxAttempts = 1 });
        await server.DisposeAsync();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(async () => await client.Inference.ChatAsync(new ChatRequest()))).StatusCode);
    }

    [Theory]
    [InlineData("ftp://localhost")]
    [InlineData("localhost:8080")]
    public void Address_NotHttp_IsRefused(string address) => Assert.ThrowsAny<Exception>(() => new LoraServeClient(new Uri(address)));

    private static async Task SendAsync(HttpContext context, byte[] body, string? status = null)
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(body);
        if (status is not null)
        {
            context.Response.AppendTrailer("grpc-status", status);
        }
    }

    /// <summary>The call ends, with the status that the protocol gives for it, or with any where it gives none.</summary>
    private static async Task ExpectAsync(StatusCode? expected, RequestDelegate handler)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using WebApplication application = builder.Build();
        application.Run(handler);
        await application.StartAsync();
        using var client = new LoraServeClient(new Uri(application.Urls.Single()), new LoraServeClientOptions { MaxAttempts = 1 });
        RpcException end = await Assert.ThrowsAsync<RpcException>(async () => await client.Inference.ChatAsync(new ChatRequest()));
        Assert.NotEqual(StatusCode.OK, end.StatusCode);
        Assert.True(expected is null || expected == end.StatusCode, $"{end.Status}");
    }
}
