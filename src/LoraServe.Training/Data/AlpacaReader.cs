namespace LoraServe.Training.Data;

/// <summary>Reads <c>instruction</c>, <c>input</c> and <c>output</c>: a conversation where the model has a chat template, else the text that Alpaca was trained on.</summary>
internal static class AlpacaReader
{
    private const string WithInput = "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.";
    private const string WithoutInput = "Below is an instruction that describes a task. Write a response that appropriately completes the request.";

    public static DataRow Read(RowFields fields, ConversationReader conversations)
    {
        (string instruction, string input) = Question(fields);
        string answer = fields.Answer("output");
        List<(string, string)> turns = [];
        foreach (System.Text.Json.JsonElement pair in fields.Has("history") ? fields.Items("history") : [])
        {
            string[] texts = [.. fields.Items("history[]", pair).Select(text => fields.AsText("history[]", text))];
            turns.AddRange(texts.Length == 2 ? [("user", texts[0]), ("assistant", texts[1])] : throw fields.Wrong($"\"history[]\" has {texts.Length} texts; expected what was asked and what was answered."));
        }

        bool isPlain = turns.Count == 0 && !fields.Has("system") && !fields.Has("tools");
        return fields.Row(DataRowKind.Conversation, RowFormat.Alpaca) with
        {
            Conversation = conversations.OfTexts("output", [.. turns, ("user", Prompt(instruction, input)), ("assistant", answer)]),
            Prompt = isPlain ? $"{(input.Length > 0 ? WithInput : WithoutInput)}\n\n### Instruction:\n{instruction}\n\n{(input.Length > 0 ? $"### Input:\n{input}\n\n" : "")}### Response:\n" : "",
            Answer = isPlain ? answer : "",
        };
    }

    /// <summary>What the user says.</summary>
    public static string Prompt(RowFields fields)
    {
        (string instruction, string input) = Question(fields);
        return Prompt(instruction, input);
    }

    private static (string Instruction, string Input) Question(RowFields fields)
    {
        (string? instruction, string? input) = (fields.FindText("instruction"), fields.FindText("input"));
        return (instruction ?? input ?? throw fields.Wrong($"has {fields.Names()}; expected instruction with output."), instruction is null ? "" : input ?? "");
    }

    private static string Prompt(string instruction, string input) => input.Length == 0 ? instruction : instruction.Length == 0 ? input : $"{instruction}\n{input}";
}
