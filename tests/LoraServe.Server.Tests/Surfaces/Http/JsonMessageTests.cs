using System.Text;
using LoraServe.Server.Surfaces.Http;
using LoraServe.Server.Surfaces.OpenAi.Messages;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Tests.Surfaces.Http;

public class JsonMessageTests
{
    [Theory]
    [InlineData("""{"temperature": "hot"}""", "temperature", "Invalid type for 'temperature': expected a number, but got a string instead.")]
    [InlineData("""{"n": 1.5}""", "n", "Invalid type for 'n': expected an integer that can be held, but got 1.5 instead.")]
    [InlineData("""{"stream": {}}""", "stream", "Invalid type for 'stream': expected a boolean, but got an object instead.")]
    [InlineData("""{"messages": {}}""", "messages", "Invalid type for 'messages': expected an array, but got an object instead.")]
    [InlineData("""{"messages": [{"role": []}]}""", "messages[0].role", "Invalid type for 'messages[0].role': expected a string, but got an array instead.")]
    [InlineData("""{"logit_bias": []}""", "logit_bias", "Invalid type for 'logit_bias': expected an object, but got an array instead.")]
    [InlineData("""{"temprature": 1}""", "temprature", "Unrecognized request argument supplied: temprature")]
    [InlineData("""{"messages": [{"rôle": 1}]}""", "messages[0].rôle", "Unrecognized request argument supplied: messages[0].rôle")]
    [InlineData("""{"n": 1, "n": 1}""", "n", "The body has 'n' twice; send it once.")]
    [InlineData("""{"n": 1""", null, "The body is not JSON: line 1: ")]
    [InlineData("""3""", null, "The body is not an object.")]
    public void Parse_WhatIsWrong_NamesTheField(string json, string? field, string message)
    {
        EngineException refusal = Assert.Throws<EngineException>(() => JsonMessage.Parse(Encoding.UTF8.GetBytes(json), OpenAiJson.Instance.ChatRequest));

        Assert.Equal((EngineError.InvalidRequest, field), (refusal.Error, refusal.Field));
        Assert.StartsWith(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_NameThatIsVeryLong_IsShownShort()
    {
        string json = $"{{\"{new string('x', 100_000)}\": 1}}";

        Assert.True(Assert.Throws<EngineException>(() => JsonMessage.Parse(Encoding.UTF8.GetBytes(json), OpenAiJson.Instance.ChatRequest)).Message.Length < 300);
    }
}
