using LoraServe.Models.Text.ToolCalls;

namespace LoraServe.Models.Tests.Text.ToolCalls;

/// <summary>An answer in each form: two calls where it can have several, with text around them where it can have that.</summary>
internal static class FormSamples
{
    public const string Arguments = """{"place": "Paris \"é\" <y>", "days": 2.5, "deep": {"list": [1, true, null]}}""";

    public static readonly ToolSet Tools = new([System.Text.Json.JsonElement.Parse("""
        {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "number"}, "deep": {"type": "object"}}}}}
        """)]);

    public static TheoryData<string> Names => new(ToolCallForms.All.Select(form => form.Name));

    public static ToolCallForm Form(string name) => ToolCallForms.All.Single(form => form.Name == name);

    public static string Of(string name) => name switch
    {
        "hermes" => $"I look.\n<tool_call>\n{Object("arguments")}\n</tool_call>\n<tool_call>{Object("arguments")}</tool_call>",
        "llama3" => $"{Object("parameters")}; {Object("parameters")}",
        "mistral" => $"I look.[TOOL_CALLS][{Object("arguments")[..^1]}, \"id\": \"abcdefghi\"}}, {Object("arguments")}]",
        "mistral-named" => $"I look.[TOOL_CALLS]look[ARGS]{Arguments}[TOOL_CALLS]look[CALL_ID]abcdefghi[ARGS]{Arguments}",
        "gemma4" => Twice($"<|tool_call>call:look{Quoted("<|\"|>")}<tool_call|>"),
        "function-gemma" => Twice($"<start_function_call>call:look{Quoted("<escape>")}<end_function_call>"),
        "gemma" => $"I look.\n```tool_code\nprint({Python})\n{Python}\n```",
        "lfm2" => $"I look.<|tool_call_start|>[{Python}, {Python}]<|tool_call_end|>",
        "tool-calls" => $"I look.\n<tool_calls>[{Object("arguments")}, {Object("arguments")}]</tool_calls>",
        "nemotron" => $"I look.\n<TOOLCALL>[{Object("arguments")}, {Object("arguments")}]</TOOLCALL>",
        "granite" => $"<|tool_call|>[{Object("arguments")}, {Object("arguments")}]",
        "command-r" => $"<|START_ACTION|>[\n    {{\"tool_call_id\": \"0\", \"tool_name\": \"look\", \"parameters\": {Arguments}}},\n    {Object("parameters")}\n]<|END_ACTION|>",
        "gigachat" => Twice($"<|function_call|>{Object("arguments")}"),
        "apertus" => $"I look.<|tools_prefix|>[{{\"look\": {Arguments}}}, {{\"look\": {Arguments}}}]<|tools_suffix|>",
        "deepseek-r1" => $"<｜tool▁calls▁begin｜>{Twice($"<｜tool▁call▁begin｜>function<｜tool▁sep｜>look\n```json\n{Arguments}\n```<｜tool▁call▁end｜>")}<｜tool▁calls▁end｜>",
        "deepseek" => $"<｜tool▁calls▁begin｜>{Twice($"<｜tool▁call▁begin｜>look<｜tool▁sep｜>{Arguments}<｜tool▁call▁end｜>")}<｜tool▁calls▁end｜>",
        "kimi" => $"<|tool_calls_section_begin|>{Twice($"<|tool_call_begin|>functions.look:0<|tool_call_argument_begin|>{Arguments}<|tool_call_end|>")}<|tool_calls_section_end|>",
        "solar" => $"<|tool_calls|>{Twice($"<|tool_call:begin|>a1<|tool_call:name|>look<|tool_call:args|>{Arguments}<|tool_call:end|>")}<|calls|>",
        "qwen-coder" => Twice($"<tool_call>\n{Coded}\n</tool_call>"),
        "seed" => Twice($"<seed:tool_call>\n{Coded}\n</seed:tool_call>"),
        "minimax" => $"I look.\n<minimax:tool_call>\n{Twice(Invoked("", ""))}\n</minimax:tool_call>",
        "deepseek-3.2" => $"I look.\n\n<｜DSML｜function_calls>\n{Twice(Invoked("｜DSML｜", " string=\"true\""))}\n</｜DSML｜function_calls>",
        "deepseek-4" => $"I look.\n\n<｜DSML｜tool_calls>\n{Twice(Invoked("｜DSML｜", " string=\"true\""))}\n</｜DSML｜tool_calls>",
        "minicpm" => Twice("<function name=\"look\"><param name=\"place\">Paris \"é\" <y></param><param name=\"days\">2.5</param><param name=\"deep\">{'list': [1, True, None]}</param></function>"),
        "glm" => Twice($"<tool_call>look\n{Keyed("")}\n</tool_call>"),
        "hunyuan" => $"<tool_calls:opensource>\n{Twice($"<tool_call:opensource>look<tool_sep:opensource>\n{Keyed(":opensource")}\n</tool_call:opensource>")}\n</tool_calls:opensource>",
        "functionary" => Twice($"<function=look>{Arguments}</function>"),
        _ => throw new ArgumentException($"There is no sample of the form {name}; write one.", nameof(name)),
    };

    private const string Python = """look(place='Paris "é" <y>', days=2.5, deep={"list": [1, True, None]})""";

    private const string Coded = """
        <function=look>
        <parameter=place>
        Paris "é" <y>
        </parameter>
        <parameter=days>
        2.5
        </parameter>
        <parameter=deep>
        {"list": [1, true, null]}
        </parameter>
        </function>
        """;

    private static string Object(string arguments) => $"{{\"name\": \"look\", \"{arguments}\": {Arguments}}}";

    private static string Quoted(string quote) => $"{{place:{quote}Paris \"é\" <y>{quote},days:2.5,deep:{{list:[1,true,null]}}}}";

    private static string Invoked(string mark, string text) =>
        $"<{mark}invoke name=\"look\">\n<{mark}parameter name=\"place\"{text}>Paris \"é\" <y></{mark}parameter>\n<{mark}parameter name=\"days\">2.5</{mark}parameter>\n"
        + $"<{mark}parameter name=\"deep\">{{\"list\": [1, true, null]}}</{mark}parameter>\n</{mark}invoke>\n";

    private static string Keyed(string mark) =>
        $"<arg_key{mark}>place</arg_key{mark}>\n<arg_value{mark}>Paris \"é\" <y></arg_value{mark}>\n<arg_key{mark}>days</arg_key{mark}><arg_value{mark}>2.5</arg_value{mark}>"
        + $"<arg_key{mark}>deep</arg_key{mark}>\n<arg_value{mark}>{{\"list\": [1, true, null]}}</arg_value{mark}>";

    private static string Twice(string call) => call + call;
}
