using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace LoraServe.Grpc.Tests.Client;

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
    public Task Response_OfAnotherContentType_IsUnknown() =>
        ExpectAsync(StatusCode.Unknown, context => context.Response.WriteAsync("<html>"));

    [Fact]
    public Task Response_WithoutStatus_IsInternal() => ExpectAsync(StatusCode.Internal, context => SendAsync(context, [0, 0, 0, 0, 0]));

    [Fact]
    public Task Response_WithoutMessage_IsInternal() => ExpectAsync(StatusCode.Internal, context => SendAsync(context, [], "0"));

    [Fact]
    public Task Response_WithTwoMessages_IsInternal() => ExpectAsync(StatusCode.Internal, context => SendAsync(context, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "0"));

    [Fact]
    public Task Response_WithAHugeLength_IsResourceExhausted() => ExpectAsync(StatusCode.ResourceExhausted, context => SendAsync(context, [0, 127, 255, 255, 255, 1], "0"));

    [Fact]
    public Task Response_CutInAMessage_IsInternal() => ExpectAsync(StatusCode.Internal, context => SendAsync(context, [0, 0, 0, 0, 9, 1], "0"));

    [Fact]
    public Task Response_NotProtobuf_IsInternal() => ExpectAsync(StatusCode.Internal, context => SendAsync(context, [0, 0, 0, 0, 2, 10, 50], "0"));

    [Fact]
    public Task Response_WithAStatusThatDoesNotExist_IsUnknown() => ExpectAsync(StatusCode.Unknown, context => SendAsync(context, [], "99"));

    [Fact]
    public Task Response_Reset_IsNotAnEndlessWait() =>
        ExpectAsync(StatusCode.Internal, async context =>
        {
            await SendAsync(context, [0]);
            await context.Response.Body.FlushAsync();
            context.Abort();
        });

    [Theory]
    [InlineData("localhost")]
    [InlineData("ftp://localhost")]
    [InlineData("")]
    public void Address_NotHttp_IsRefused(string address) => Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress(address));

    private static async Task SendAsync(HttpContext context, byte[] body, string? status = null)
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(body);
        if (status is not null)
        {
            context.Response.AppendTrailer("grpc-status", status);
        }
    }

    private static async Task ExpectAsync(StatusCode expected, RequestDelegate handler)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using WebApplication application = builder.Build();
        application.Run(handler);
        await application.StartAsync();
        using var channel = GrpcChannel.ForAddress(application.Urls.Single());
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).SayAsync(new EchoRequest()));
        Assert.Equal(expected, e.StatusCode);
    }
}
