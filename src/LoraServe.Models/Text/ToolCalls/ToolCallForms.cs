using System.Collections.Immutable;
using System.Text.Json;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>The forms that are known, and which of them a template means.</summary>
internal static class ToolCallForms
{
    /// <summary>All, the more particular ahead of the more general.</summary>
    public static ImmutableArray<ToolCallForm> All { get; } =
    [
        new JsonCallForm("hermes", "<tool_call>", "</tool_call>"),
        new LlamaCallForm(),
        new JsonCallForm("mistral", "[TOOL_CALLS]", "") { IsArray = true },
        new NamedCallForm("mistral-named", "[TOOL_CALLS]", "[ARGS]", "") { NameTo = "[CALL_ID]" },
        new QuotedCallForm("gemma4", "<|tool_call>", "<tool_call|>", "<|\"|>"),
        new QuotedCallForm("function-gemma", "<start_function_call>", "<end_function_call>", "<escape>"),
        new PythonCallForm("gemma", "```tool_code", "```"),
        new PythonCallForm("lfm2", "<|tool_call_start|>", "<|tool_call_end|>") { IsList = true },
        new JsonCallForm("tool-calls", "<tool_calls>", "</tool_calls>") { IsArray = true },
        new JsonCallForm("nemotron", "<TOOLCALL>", "</TOOLCALL>") { IsArray = true },
        new JsonCallForm("granite", "<|tool_call|>", "") { IsArray = true },
        new JsonCallForm("command-r", "<|START_ACTION|>", "<|END_ACTION|>") { IsArray = true, NameKey = "tool_name", ArgumentsKey = "parameters" },
        new JsonCallForm("gigachat", "<|function_call|>", ""),
        new JsonCallForm("apertus", "<|tools_prefix|>", "<|tools_suffix|>") { IsArray = true, IsNamedByKey = true },
        new NamedCallForm("deepseek-r1", "<｜tool▁call▁begin｜>", "\n```json", "```<｜tool▁call▁end｜>")
        {
            Kind = "function",
            NameFrom = "<｜tool▁sep｜>",
            Around = ["<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"],
        },
        new NamedCallForm("deepseek", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>") { Around = ["<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"] },
        new NamedCallForm("kimi", "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>")
        {
            NameFrom = "functions.",
            NameTo = ":",
            IsNumbered = true,
            Around = ["<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"],
        },
        new NamedCallForm("solar", "<|tool_call:begin|>", "<|tool_call:args|>", "<|tool_call:end|>") { NameFrom = "<|tool_call:name|>", Around = ["<|tool_calls|>", "<|calls|>"] },
        Coder("qwen-coder", "<tool_call>", "</tool_call>"),
        Coder("seed", "<seed:tool_call>", "</seed:tool_call>"),
        Invoked("minimax", "<minimax:tool_call>", "</minimax:tool_call>", ""),
        Invoked("deepseek-3.2", "<｜DSML｜function_calls>", "</｜DSML｜function_calls>", "｜DSML｜"),
        Invoked("deepseek-4", "<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>", "｜DSML｜"),
        new ParameterCallForm("minicpm", "<function name=\"") { NameTo = "\">", KeyFrom = "<param name=\"", KeyTo = ">", ValueTo = "</param>", End = "</function>" },
        Keyed("glm", "", nameTo: ""),
        Keyed("hunyuan", ":opensource", "<tool_sep:opensource>"),
        new NamedCallForm("functionary", "<function=", ">", "</function>"),
    ];

    /// <summary>
    /// The form of a template: the first that reads the call which the template writes as it was. Of a template that writes none, the first whose texts it has, or,
    /// where it knows tools at all, whose tokens the vocabulary has.
    /// </summary>
    /// <param name="template">Its text.</param>
    /// <param name="answer">How it writes an answer that is <paramref name="call"/>; null where it cannot.</param>
    /// <param name="call">The call.</param>
    /// <param name="tools">The tool that is called.</param>
    /// <param name="isToken">Whether a text is a token that the vocabulary has besides its words.</param>
    /// <returns>The form; null where the template means none that is known.</returns>
    public static ToolCallForm? Find(string template, string? answer, ToolCall call, ToolSet tools, Func<string, bool> isToken) => answer is not null
        ? All.FirstOrDefault(form => Reads(form, answer, call, tools))
        : All.FirstOrDefault(form => form.Signs.All(sign => template.Contains(sign, StringComparison.Ordinal)))
            ?? (template.Contains("tools", StringComparison.Ordinal) ? All.FirstOrDefault(form => form.First is null && form.Signs.All(isToken)) : null);

    private static ParameterCallForm Coder(string name, string opening, string closing) => new(name, opening)
    {
        Closing = closing,
        NameFrom = "<function=",
        NameTo = ">",
        KeyFrom = "<parameter=",
        KeyTo = ">",
        ValueTo = "</parameter>",
        End = "</function>",
    };

    private static ParameterCallForm Invoked(string name, string opening, string closing, string mark) => new(name, opening)
    {
        Closing = closing,
        NameFrom = $"<{mark}invoke name=\"",
        NameTo = "\">",
        KeyFrom = $"<{mark}parameter name=\"",
        KeyTo = ">",
        ValueTo = $"</{mark}parameter>",
        MarksTexts = mark.Length > 0,
        End = $"</{mark}invoke>",
    };

    private static ParameterCallForm Keyed(string name, string mark, string nameTo) => new(name, $"<tool_call{mark}>")
    {
        NameTo = nameTo,
        KeyFrom = $"<arg_key{mark}>",
        KeyTo = $"</arg_key{mark}>",
        ValueFrom = $"<arg_value{mark}>",
        ValueTo = $"</arg_value{mark}>",
        End = $"</tool_call{mark}>",
        Around = mark.Length > 0 ? [$"<tool_calls{mark}>", $"</tool_calls{mark}>"] : [],
    };

    private static bool Reads(ToolCallForm form, string answer, ToolCall call, ToolSet tools)
    {
        ToolCallReader reader = form.CreateReader(tools, new ToolCallIds("", 0));
        AnswerPart[] parts = [.. reader.Append(answer), .. reader.Finish()];
        string arguments = string.Concat(parts.Where(part => part.Kind == AnswerPartKind.Arguments).Select(part => part.Text));
        return parts.Count(part => part.Kind == AnswerPartKind.CallEnd) == 1
            && !parts.Any(part => part.Kind == AnswerPartKind.CallBroken)
            && parts.First(part => part.Kind == AnswerPartKind.CallBegin).Text == call.Name
            && JsonElement.DeepEquals(JsonElement.Parse(arguments), JsonElement.Parse(call.Arguments));
    }
}
