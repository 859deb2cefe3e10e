namespace LoraServe.EndToEnd.Tests.Setup;

/// <summary>
/// A model that calls two tools in Mistral's form, whose marker is a special token, tells what they said, and says something else without tools.
/// With its letters it can be made to call as it would not.
/// </summary>
internal static class ToolScript
{
    public const string WithoutTools = "No tools.";
    public const string Told = "It is sunny.";
    public const string Said = "I look.";

    private const string Marker = "[TOOL_CALLS]";

    private const string Template = """
        {%- for message in messages %}[{{ message.role }}]{{ message.content }}
        {%- if message.tool_calls %}[TOOL_CALLS][
        {%- for call in message.tool_calls %}{{ {"name": call.function.name, "arguments": call.function.arguments} | tojson }}{% if not loop.last %}, {% endif %}{% endfor %}]
        {%- endif %}
        {%- endfor %}
        {%- if add_generation_prompt %}
        {%- if messages[-1].role == "tool" %}<tell>{% elif tools %}<call>{% else %}<talk>{% endif %}
        {%- endif %}
        """;

    public static Task<TestServer> StartAsync(TemporaryFolder folder)
    {
        ScriptedModel.Write(
            folder.At("model"),
            Template,
            [Marker, "<call>", "<tell>", "<talk>"],
            ["<call>", "I ", "look.", Marker, "[{\"name\": \"get_weather\", ", "\"arguments\": {\"city\": \"Par", "is\"}}", ", {\"name\": \"get_time\", \"arguments\": {}}", "]"],
            ["<tell>", "It is ", "sunny."],
            ["<talk>", "No ", "tools."],
            [.. "{\"namegt_iwhrcyusA,: }[".Select(letter => letter.ToString())]);
        return TestServer.StartTinyAsync(folder: folder);
    }
}
