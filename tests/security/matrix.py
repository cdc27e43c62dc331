"""What each role may do, written down by hand from the contract: the one table that the permission tests compare with.

One line for each RPC of each service, one column for each role, one letter for each row in the order of its ROWS:

  Y  done                                  S  the row is in the answer      U  it is not
  D  PERMISSION_DENIED                     N  NOT_FOUND: not his to see     A  UNAUTHENTICATED
  O  done, the row told in outline only    P  FAILED_PRECONDITION: within his rights, not possible as things are

Of a batch, O is a row that was refused in its own line of the answer; of a file, one that is not in it.

Rows of leads, and of what hangs on a lead: his own, a team mate's, another team's, one in the pool, one that nobody
has yet. Rows of the journal, of people and of ledgers: his own, a team mate's, another team's. Teams: his own, one
below it, another. Where there is a single letter, the RPC has no rows; OWNERLESS says why.

The last column is any caller with an expired or forged token.
"""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("admin", "manager", "sales", "backoffice", "finance")
CALLERS = (*ROLES, "anonymous", "forged")
LEADS = ("own", "mate", "other", "pooled", "unowned")
PEOPLE = ("own", "mate", "other")
ALL = ("any",)
LETTERS = frozenset("YDNASUOP")
# Whoever gets one of these has changed nothing.
NOTHING_CHANGED = frozenset("DNASUP")

TABLE = """
                                               admin manager sales backoffice finance anonymous forged
directory.DirectoryService.CreatePerson        YYY   DDD     DDD   DDD        DDD     AAA       AAA
directory.DirectoryService.GetPerson           YYY   YYY     YYY   YYY        YYY     AAA       AAA
directory.DirectoryService.ListPeople          SSS   SSS     SSS   SSS        SSS     AAA       AAA
directory.DirectoryService.UpdatePerson        YYY   DDD     DDD   DDD        DDD     AAA       AAA
directory.DirectoryService.SetPresence         YYY   YYD     YDD   YDD        YDD     AAA       AAA
directory.DirectoryService.Heartbeat           YYY   YYD     YDD   YDD        YDD     AAA       AAA
directory.DirectoryService.InvitePerson        YYY   DDD     DDD   DDD        DDD     AAA       AAA
directory.DirectoryService.RequestPasswordReset YYY  YYY     YYY   YYY        YYY     YYY       AAA
directory.DirectoryService.RedeemPasswordToken Y     Y       Y     Y          Y       Y         A
directory.DirectoryService.ChangePassword      YYY   YDD     YDD   YDD        YDD     AAA       AAA
directory.DirectoryService.CreateTeam          YYY   DDD     DDD   DDD        DDD     AAA       AAA
directory.DirectoryService.GetTeam             YYY   YYY     YYY   DDD        YYY     AAA       AAA
directory.DirectoryService.ListTeams           SSS   SSS     SSS   DDD        SSS     AAA       AAA
directory.DirectoryService.UpdateTeam          YYY   DDD     DDD   DDD        DDD     AAA       AAA
directory.DirectoryService.DeleteTeam          PYY   DDD     DDD   DDD        DDD     AAA       AAA
directory.DirectoryService.UndeleteTeam        PYY   DDD     DDD   DDD        DDD     AAA       AAA
directory.DirectoryService.GetRole             Y     D       D     D          D       A         A
directory.DirectoryService.ListRoles           Y     D       D     D          D       A         A
directory.DirectoryService.UpdateRole          Y     D       D     D          D       A         A
directory.DirectoryService.CreateCalendar      Y     D       D     Y          D       A         A
directory.DirectoryService.GetCalendar         Y     Y       Y     Y          D       A         A
directory.DirectoryService.ListCalendars       Y     Y       Y     Y          D       A         A
directory.DirectoryService.UpdateCalendar      Y     D       D     Y          D       A         A
directory.DirectoryService.DeleteCalendar      Y     D       D     D          D       A         A
directory.DirectoryService.UndeleteCalendar    Y     D       D     D          D       A         A
directory.DirectoryService.CreateSession       Y     Y       Y     Y          Y       Y         A
directory.DirectoryService.GetSession          Y     Y       Y     Y          Y       A         A
directory.DirectoryService.DeleteSession       Y     Y       Y     Y          Y       A         A
directory.DirectoryService.ResolveSession      D     D       D     D          D       D         A
directory.DirectoryService.ResolvePerson       D     D       D     D          D       D         A
directory.BlueprintService.GetPart             Y     Y       D     D          D       A         A
directory.BlueprintService.PlanPart            Y     Y       D     D          D       A         A
directory.BlueprintService.ApplyPart           Y     D       D     D          D       A         A
leads.LeadService.CaptureLead                  YYYYY YYOYY   YOOOO YYYYY      DDDDD   AAAAA     AAAAA
leads.LeadService.BatchCaptureLeads            YYYYY YYOYY   YOOOO YYYYY      DDDDD   AAAAA     AAAAA
leads.LeadService.SubmitForm                   YYYYY YYYYY   YYYYY YYYYY      YYYYY   YYYYY     AAAAA
leads.LeadService.DescribeForm                 Y     Y       Y     Y          Y       Y         A
leads.LeadService.GetLead                      YYYYY YYNYY   YNNYN YYYYY      DDDDD   AAAAA     AAAAA
leads.LeadService.ListLeads                    SSSSS SSUSS   SUUSU SSSSS      DDDDD   AAAAA     AAAAA
leads.LeadService.SummarizeLeads               SSSSS SSUSS   SUUSU SSSSS      DDDDD   AAAAA     AAAAA
leads.LeadService.ListTouchpoints              YYYYY YYNYY   YNNYN YYYYY      DDDDD   AAAAA     AAAAA
leads.LeadService.UpdateLead                   YYYYY YYNYY   YNNDN YYYYY      DDDDD   AAAAA     AAAAA
leads.LeadService.DeleteLead                   YYYYY YYNYY   DDDDD DDDDD      DDDDD   AAAAA     AAAAA
leads.LeadService.UndeleteLead                 YYYYY YYNYY   DDDDD DDDDD      DDDDD   AAAAA     AAAAA
leads.LeadService.ContactLead                  YYYPP YYNPP   YNNDN YYYPP      DDDDD   AAAAA     AAAAA
leads.LeadService.ClaimLead                    PPPPP PPNPP   PNNYN PPPPP      DDDDD   AAAAA     AAAAA
leads.LeadService.QualifyLead                  YYYPP YYNPP   YNNDN YYYPP      DDDDD   AAAAA     AAAAA
leads.LeadService.DisqualifyLead               YYYYY YYNYY   YNNDN YYYYY      DDDDD   AAAAA     AAAAA
leads.LeadService.ReleaseLead                  YYYPP YYNPP   YNNDN YDDDD      DDDDD   AAAAA     AAAAA
leads.LeadService.ReassignLead                 YYYYY YYNYY   DNNDN DDDDD      DDDDD   AAAAA     AAAAA
leads.LeadService.CreateForm                   Y     D       D     Y          D       A         A
leads.LeadService.GetForm                      Y     Y       Y     Y          D       A         A
leads.LeadService.ListForms                    Y     Y       Y     Y          D       A         A
leads.LeadService.UpdateForm                   Y     D       D     Y          D       A         A
leads.LeadService.DeleteForm                   Y     D       D     Y          D       A         A
leads.LeadService.UndeleteForm                 Y     D       D     Y          D       A         A
leads.HistoryService.ListMessages                D D D D D D A
leads.ImportService.CreateImport               YYY   YYY     YYY   YYY        DDD     AAA       AAA
leads.ImportService.AppendImport               YYY   YYN     YNN   YYY        DDD     AAA       AAA
leads.ImportService.GetImport                  YYY   YYN     YNN   YYY        DDD     AAA       AAA
leads.ImportService.ListImports                SSS   SSU     SUU   SSS        DDD     AAA       AAA
leads.ImportService.UpdateImport               YYY   YYN     YNN   YYY        DDD     AAA       AAA
leads.ImportService.CommitImport               YYY   YYN     YNN   YYY        DDD     AAA       AAA
leads.ImportService.CancelImport               YYY   YYN     YNN   YYY        DDD     AAA       AAA
leads.ImportService.UndoImport                 YYY   YYN     YNN   YYY        DDD     AAA       AAA
leads.ImportService.ListImportRows             YYY   YYN     YNN   YYY        DDD     AAA       AAA
leads.ImportService.DownloadRefusedRows        YYY   YYN     YNN   YYY        DDD     AAA       AAA
leads.ImportService.DownloadImportTemplate     YYY   YYY     YYY   YYY        DDD     AAA       AAA
leads.BlueprintService.GetPart                 Y     Y       D     D          D       A         A
leads.BlueprintService.PlanPart                Y     Y       D     D          D       A         A
leads.BlueprintService.ApplyPart               Y     D       D     D          D       A         A
rules.RuleService.GetPolicy                    Y     Y       Y     D          D       A         A
rules.RuleService.ListPolicies                 Y     Y       Y     D          D       A         A
rules.RuleService.UpdatePolicy                 Y     D       D     D          D       A         A
rules.RuleService.ListDecisions                YYY   YYN     YNN   YYY        DDD     AAA       AAA
rules.RuleService.ListTimers                   YYY   YYN     YNN   YYY        DDD     AAA       AAA
rules.RuleService.GetLedger                    SSS   SSS     SUU   DDD        DDD     AAA       AAA
rules.RuleService.ListLedgers                  SSS   SSS     SUU   DDD        DDD     AAA       AAA
rules.RuleService.VerifyJournal                Y     Y       D     D          D       A         A
rules.RuleService.SimulatePolicy               SSS   SSU     SUU   DDD        DDD     AAA       AAA
rules.RuleService.PreviewAutomations         Y     Y       Y     D          D       A         A
rules.BlueprintService.GetPart                 Y     Y       D     D          D       A         A
rules.BlueprintService.PlanPart                Y     Y       D     D          D       A         A
rules.BlueprintService.ApplyPart               Y     D       D     D          D       A         A
customers.CustomerService.CreateCustomer        YYY   YYY     YDD   YDD        DDD     AAA       AAA
customers.CustomerService.BatchCreateCustomers YYY YYY YOO YOO DDD AAA AAA
customers.CustomerService.BatchFindCustomers    SSS   SSU     SUU   SSS        SSS     AAA       AAA
customers.CustomerService.TakeBackCustomers     DDD   DDD     DDD   DDD        DDD     DDD       AAA
customers.CustomerService.GetCustomer           YYY   YYN     YNN   YYY        YYY     AAA       AAA
customers.CustomerService.ListCustomers         SSS   SSU     SUU   SSS        SSS     AAA       AAA
customers.CustomerService.UpdateCustomer        YYY   YYN     YNN   YYY        DDD     AAA       AAA
customers.CustomerService.DeleteCustomer        YYY   YYN     DDD   DDD        DDD     AAA       AAA
customers.CustomerService.UndeleteCustomer      YYY   YYN     DDD   DDD        DDD     AAA       AAA
customers.CustomerService.MergeCustomer         YYY   YYN     YNN   YYY        DDD     AAA       AAA
customers.CustomerService.TransferCustomer      YYY   YYN     DNN   DDD        DDD     AAA       AAA
customers.CustomerService.CreateContact         YYY   YYN     YNN   YYY        DDD     AAA       AAA
customers.CustomerService.BatchCreateContacts YYY YYO YOO YYY DDD AAA AAA
customers.CustomerService.GetContact            YYY   YYN     YNN   YYY        YYY     AAA       AAA
customers.CustomerService.ListContacts          SSS   SSU     SUU   SSS        SSS     AAA       AAA
customers.CustomerService.UpdateContact         YYY   YYN     YNN   YYY        DDD     AAA       AAA
customers.CustomerService.DeleteContact         YYY   YYN     DDD   DDD        DDD     AAA       AAA
customers.CustomerService.UndeleteContact       YYY   YYN     DDD   DDD        DDD     AAA       AAA
customers.CustomerViewService.GetCustomerView   YYY   YYN     YNN   YYY        YYY     AAA       AAA
customers.CustomerService.ListHandOvers         SSS   SSU     SUU   SSS        SSS     AAA       AAA
customers.CustomerService.GetHandOver           YYY   YYN     YNN   YYY        YYY     AAA       AAA
customers.CustomerService.ConfirmHandOver       YYY   YYN     DDD   DDD        DDD     AAA       AAA
customers.CustomerService.BatchConfirmHandOvers YYY   YYN     DDD   DDD        DDD     AAA       AAA
customers.BlueprintService.GetPart             Y     Y       D     D          D       A         A
customers.BlueprintService.PlanPart            Y     Y       D     D          D       A         A
customers.BlueprintService.ApplyPart           Y     D       D     D          D       A         A
customers.BelongingsService.FindBelongings  D D D D D D A
customers.HistoryService.ListMessages  D D D D D D A
opportunities.OpportunityService.CreateOpportunity YYY     YYD     YDD     YDD     DDD     AAA     AAA
opportunities.OpportunityService.BatchCreateOpportunities YYY YYO YOO YOO DDD AAA AAA
opportunities.OpportunityService.TakeBackOpportunities DDD DDD DDD DDD DDD DDD AAA
opportunities.OpportunityService.GetOpportunity YYY     YYN     YNN     YYY     YYY     AAA     AAA
opportunities.OpportunityService.ListOpportunities SSS     SSU     SUU     SSS     SSS     AAA     AAA
opportunities.OpportunityService.SummarizeOpportunities SSS     SSU     SUU     SSS     SSS     AAA     AAA
opportunities.OpportunityService.UpdateOpportunity YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.DeleteOpportunity YYY     YYN     DDD     DDD     DDD     AAA     AAA
opportunities.OpportunityService.UndeleteOpportunity YYY     YYN     DDD     DDD     DDD     AAA     AAA
opportunities.OpportunityService.WinOpportunity YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.LoseOpportunity YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.HoldOpportunity YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.ResumeOpportunity YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.ReopenOpportunity YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.TransferOpportunity YYY     YYN     DNN     DDD     DDD     AAA     AAA
opportunities.OpportunityService.ConfirmOpportunity YYY     YYN     DNN     DDD     DDD     AAA     AAA
opportunities.OpportunityService.RequestCollaboration YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.ListGates     YYY     YYN     YNN     YYY     YYY     AAA     AAA
opportunities.OpportunityService.ListChain     YYY     YYN     YNN     YYY     YYY     AAA     AAA
opportunities.OpportunityService.ShareOpportunity YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.UnshareOpportunity YYY     YYN     YNN     YYY     DDD     AAA     AAA
opportunities.OpportunityService.ListShares    YYY     YYN     YNN     YYY     YYY     AAA     AAA
opportunities.OpportunityService.ListStageChanges YYY     YYN     YNN     YYY     YYY     AAA     AAA
opportunities.OpportunityService.GetPipeline   Y       Y       Y       Y       Y       A       A
opportunities.OpportunityService.ListPipelines Y       Y       Y       Y       Y       A       A
opportunities.BlueprintService.GetPart         Y       Y       D       D       D       A       A
opportunities.BlueprintService.PlanPart        Y       Y       D       D       D       A       A
opportunities.BlueprintService.ApplyPart       Y       D       D       D       D       A       A
opportunities.BelongingsService.FindBelongings  D D D D D D A
opportunities.HistoryService.ListMessages  D D D D D D A
contracts.QuoteService.CreateProduct           Y       D       D       Y       D       A       A
contracts.QuoteService.GetProduct              Y       Y       Y       Y       Y       A       A
contracts.QuoteService.ListProducts            Y       Y       Y       Y       Y       A       A
contracts.QuoteService.UpdateProduct           Y       D       D       Y       D       A       A
contracts.QuoteService.DeleteProduct           Y       D       D       D       D       A       A
contracts.QuoteService.UndeleteProduct         Y       D       D       D       D       A       A
contracts.QuoteService.CreatePriceList         Y       D       D       Y       D       A       A
contracts.QuoteService.GetPriceList            Y       Y       Y       Y       Y       A       A
contracts.QuoteService.ListPriceLists          Y       Y       Y       Y       Y       A       A
contracts.QuoteService.UpdatePriceList         Y       D       D       Y       D       A       A
contracts.QuoteService.DeletePriceList         Y       D       D       D       D       A       A
contracts.QuoteService.UndeletePriceList       Y       D       D       D       D       A       A
contracts.QuoteService.CreateExchangeRate      Y       D       D       Y       Y       A       A
contracts.QuoteService.GetExchangeRate         Y       Y       Y       Y       Y       A       A
contracts.QuoteService.ListExchangeRates       Y       Y       Y       Y       Y       A       A
contracts.QuoteService.UpdateExchangeRate      Y       D       D       Y       Y       A       A
contracts.QuoteService.DeleteExchangeRate      Y       D       D       D       D       A       A
contracts.QuoteService.UndeleteExchangeRate    Y       D       D       D       D       A       A
contracts.QuoteService.ConvertMoney            Y       Y       Y       Y       Y       A       A
contracts.QuoteService.CreateQuote             YYY     YYN     YNN     YYY     DDD     AAA     AAA
contracts.QuoteService.QuoteOpportunity        YYY     YYN     YNN     YYY     DDD     AAA     AAA
contracts.QuoteService.UpdateQuote             YYY     YYN     YNN     YYY     DDD     AAA     AAA
contracts.QuoteService.SubmitQuote             YYY     YYN     YNN     YYY     DDD     AAA     AAA
contracts.QuoteService.ReviseQuote             YYY     YYN     YNN     YYY     DDD     AAA     AAA
contracts.QuoteService.AcceptQuote             YYY     YYN     YNN     YYY     DDD     AAA     AAA
contracts.QuoteService.LinkQuote               YYY     YYN     YNN     YYY     DDD     AAA     AAA
contracts.QuoteService.UnlinkQuote             YYY     YYN     YNN     YYY     DDD     AAA     AAA
contracts.QuoteService.GetQuote                YYY     YYN     YNN     YYY     YYY     AAA     AAA
contracts.QuoteService.RenderQuote             YYY     YYN     YNN     YYY     YYY     AAA     AAA
contracts.QuoteService.ListQuotes              SSS     SSU     SUU     SSS     SSS     AAA     AAA
contracts.QuoteService.DeleteQuote             YYY     YYN     DDD     DDD     DDD     AAA     AAA
contracts.QuoteService.UndeleteQuote           YYY     YYN     DDD     DDD     DDD     AAA     AAA
contracts.QuoteService.OpenQuoteLink           Y       Y       Y       Y       Y       Y       A
contracts.QuoteService.DownloadQuoteLink       Y       Y       Y       Y       Y       Y       A
contracts.ApprovalService.CreateApproval       YYY   YYN     YNN   YYY        DDD     AAA       AAA
contracts.ApprovalService.GetApproval          YYY   YYN     YNN   YYY        YYY     AAA       AAA
contracts.ApprovalService.ListApprovals        SSS   SSU     SUU   SSS        SSS     AAA       AAA
contracts.ApprovalService.DecideApproval       PYY   PDN     PNN   PDD        PDD     AAA       AAA
contracts.ApprovalService.DelegateApproval     PYY   PDN     PNN   PDD        PDD     AAA       AAA
contracts.ApprovalService.WithdrawApproval     YYY   YDN     YNN   YDD        YDD     AAA       AAA
contracts.ApprovalService.RemindApproval       YYY   YYN     YNN   YYY        YDD     AAA       AAA
contracts.ApprovalService.SimulateApprovalFlow Y     Y       D     D          D       A         A
contracts.BlueprintService.GetPart             Y     Y       D     D          D       A         A
contracts.BlueprintService.PlanPart            Y     Y       D     D          D       A         A
contracts.BlueprintService.ApplyPart           Y     D       D     D          D       A         A
contracts.BelongingsService.FindBelongings  D D D D D D A
contracts.HistoryService.ListMessages  D D D D D D A
contracts.ContractService.CreateContract       YYY     YYD     YDD     YDD        DDD     AAA       AAA
contracts.ContractService.ContractOpportunity  YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.ContractQuote        YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.GetContract          YYY     YYN     YNN     YYY        YYY     AAA       AAA
contracts.ContractService.ListContracts        SSS     SSU     SUU     SSS        SSS     AAA       AAA
contracts.ContractService.SummarizeContracts   SSS     SSU     SUU     SSS        SSS     AAA       AAA
contracts.ContractService.UpdateContract       YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.DeleteContract       YYY     YYN     DDD     DDD        DDD     AAA       AAA
contracts.ContractService.UndeleteContract     YYY     YYN     DDD     DDD        DDD     AAA       AAA
contracts.ContractService.SubmitContract       YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.SignContract         YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.VoidContract         YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.TransferContract     YYY     YYN     DNN     DDD        DDD     AAA       AAA
contracts.ContractService.RenewContract        YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.ChangeContract       YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.DeliverContract      YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.PlanContract         YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.ListStatusChanges    YYY     YYN     YNN     YYY        YYY     AAA       AAA
contracts.ContractService.GetContractChange    YYY     YYN     YNN     YYY        YYY     AAA       AAA
contracts.ContractService.ListContractChanges  SSS     SSU     SUU     SSS        SSS     AAA       AAA
contracts.ContractService.GetInstalment        YYY     YYN     YNN     YYY        YYY     AAA       AAA
contracts.ContractService.ListInstalments      SSS     SSU     SUU     SSS        SSS     AAA       AAA
contracts.ContractService.UpdateInstalment     YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.ReachInstalment      YYY     YYN     YNN     YYY        DDD     AAA       AAA
contracts.ContractService.CreateInvoice        YYY     DDD     DDD     DDD        YYY     AAA       AAA
contracts.ContractService.GetInvoice           YYY     YYN     YNN     YYY        YYY     AAA       AAA
contracts.ContractService.ListInvoices         SSS     SSU     SUU     SSS        SSS     AAA       AAA
contracts.ContractService.UpdateInvoice        YYY     DDD     DDD     DDD        YYY     AAA       AAA
contracts.ContractService.VoidInvoice          YYY     DDD     DDD     DDD        YYY     AAA       AAA
contracts.ContractService.DeleteInvoice        YYY     DDD     DDD     DDD        YYY     AAA       AAA
contracts.ContractService.UndeleteInvoice      YYY     DDD     DDD     DDD        YYY     AAA       AAA
contracts.ContractService.CreatePayment        YYY     DDD     DDD     DDD        YYY     AAA       AAA
contracts.ContractService.GetPayment           YYY     YYN     YNN     YYY        YYY     AAA       AAA
contracts.ContractService.ListPayments         SSS     SSU     SUU     SSS        SSS     AAA       AAA
contracts.ContractService.ForecastPayments     SSS     SSU     SUU     SSS        SSS     AAA       AAA
contracts.ContractService.SummarizePayments    SSS     SSU     SUU     SSS        SSS     AAA       AAA
contracts.ContractService.UpdatePayment        YYY     DDD     DDD     DDD        YYY     AAA       AAA
contracts.ContractService.DeletePayment        YYY     DDD     DDD     DDD        YYY     AAA       AAA
contracts.ContractService.UndeletePayment      YYY     DDD     DDD     DDD        YYY     AAA       AAA
activities.ActivityService.CreateFollowUp      YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.ActivityService.BatchCreateFollowUps YYY     YYO     YOO     YYY     DDD     AAA     AAA
activities.ActivityService.TakeBackFollowUps     DDD     DDD     DDD     DDD     DDD     DDD     AAA
activities.ActivityService.GetFollowUp         YYY     YYN     YNN     YYY     YYY     AAA     AAA
activities.ActivityService.ListFollowUps       SSS     SSU     SUU     SSS     SSS     AAA     AAA
activities.ActivityService.SummarizeFollowUps  SSS     SSU     SUU     SSS     SSS     AAA     AAA
activities.ActivityService.ListLatestFollowUps SSS     SSU     SUU     SSS     SSS     AAA     AAA
activities.ActivityService.UpdateFollowUp      YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.ActivityService.DeleteFollowUp      YYY     YYN     DDD     DDD     DDD     AAA     AAA
activities.ActivityService.UndeleteFollowUp    YYY     YYN     DDD     DDD     DDD     AAA     AAA
activities.ActivityService.CreateTask          YYY     YYY     YYY     YYY     YYY     AAA     AAA
activities.ActivityService.GetTask             YYY     YYN     YNN     YYY     YNN     AAA     AAA
activities.ActivityService.ListTasks           SSS     SSU     SUU     SSS     SUU     AAA     AAA
activities.ActivityService.UpdateTask          YYY     YYN     YNN     YYY     YNN     AAA     AAA
activities.ActivityService.DeleteTask          YYY     YYN     YNN     DDD     DDD     AAA     AAA
activities.ActivityService.UndeleteTask        YYY     YYN     YNN     DDD     DDD     AAA     AAA
activities.ActivityService.ClaimTask           YYD     YYN     YYN     YYD     YYN     AAA     AAA
activities.ActivityService.StartTask           YYY     YYN     YNN     YYY     YNN     AAA     AAA
activities.ActivityService.CompleteTask        YYY     YYN     YNN     YYY     YNN     AAA     AAA
activities.ActivityService.CancelTask          YYY     YYN     YNN     YYY     YNN     AAA     AAA
activities.ActivityService.ReopenTask          YYY     YYN     YNN     YYY     YNN     AAA     AAA
activities.ActivityService.AssignTask          YYY     YYN     YNN     YYY     YNN     AAA     AAA
activities.ActivityService.CreateChangeRequest YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.ActivityService.GetChangeRequest    YYY     YYN     YNN     YYY     YYY     AAA     AAA
activities.ActivityService.ListChangeRequests  SSS     SSU     SUU     SSS     SSS     AAA     AAA
activities.ActivityService.UpdateChangeRequest YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.ActivityService.DeleteChangeRequest YYY     YYN     DDD     DDD     DDD     AAA     AAA
activities.ActivityService.UndeleteChangeRequest YYY     YYN     DDD     DDD     DDD     AAA     AAA
activities.ActivityService.CreateInteraction   YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.ActivityService.GetInteraction      YYY     YYN     YNN     YYY     YYY     AAA     AAA
activities.ActivityService.ListInteractions    SSS     SSU     SUU     SSS     SSS     AAA     AAA
activities.ActivityService.UpdateInteraction   YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.ActivityService.DeleteInteraction   YYY     YYN     DDD     DDD     DDD     AAA     AAA
activities.ActivityService.UndeleteInteraction YYY     YYN     DDD     DDD     DDD     AAA     AAA
activities.ActivityService.ListTimeline        YYY     YYN     YNN     YYY     YYY     AAA     AAA
activities.BlueprintService.GetPart            Y       Y       D       D       D       A       A
activities.BlueprintService.PlanPart           Y       Y       D       D       D       A       A
activities.BlueprintService.ApplyPart          Y       D       D       D       D       A       A
activities.BelongingsService.FindBelongings  D D D D D D A
activities.HistoryService.ListMessages  D D D D D D A
activities.FileService.CreateAttachment         YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.FileService.GetAttachment            YYY     YYN     YNN     YYY     YYY     AAA     AAA
activities.FileService.ListAttachments          SSS     SSU     SUU     SSS     SSS     AAA     AAA
activities.FileService.UpdateAttachment         YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.FileService.DeleteAttachment         YYY     YYN     YNN     DDD     DDD     AAA     AAA
activities.FileService.UndeleteAttachment       YYY     YYN     YNN     DDD     DDD     AAA     AAA
activities.FileService.DownloadAttachment       YYY     YYN     YNN     YYY     YYY     AAA     AAA
activities.FileService.CreateCheckIn            YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.FileService.GetCheckIn               YYY     YYN     YNN     YYY     YYY     AAA     AAA
activities.FileService.ListCheckIns             SSS     SSU     SUU     SSS     SSS     AAA     AAA
activities.FileService.UpdateCheckIn            YYY     YYN     YNN     YYY     DDD     AAA     AAA
activities.FileService.DeleteCheckIn            YYY     YYN     YNN     DDD     DDD     AAA     AAA
activities.FileService.UndeleteCheckIn          YYY     YYN     YNN     DDD     DDD     AAA     AAA
activities.NoticeService.CreateTemplate         Y       D       D       Y       D       A       A
activities.NoticeService.GetTemplate            Y       Y       Y       Y       Y       A       A
activities.NoticeService.ListTemplates          Y       Y       Y       Y       Y       A       A
activities.NoticeService.UpdateTemplate         Y       D       D       Y       D       A       A
activities.NoticeService.DeleteTemplate         Y       D       D       Y       D       A       A
activities.NoticeService.UndeleteTemplate       Y       D       D       Y       D       A       A
activities.NoticeService.RenderTemplate         Y       Y       Y       Y       Y       A       A
activities.NoticeService.ListNotifications      SUU     SUU     SUU     SUU     SUU     AAA     AAA
activities.NoticeService.GetNotification        YNN     YNN     YNN     YNN     YNN     AAA     AAA
activities.NoticeService.MarkReadNotification   YNN     YNN     YNN     YNN     YNN     AAA     AAA
activities.NoticeService.BatchMarkReadNotifications YNN     YNN     YNN     YNN     YNN     AAA     AAA
activities.NoticeService.GetNotificationPreference Y       Y       Y       Y       Y       A       A
activities.NoticeService.UpdateNotificationPreference Y       Y       Y       Y       Y       A       A
reports.ReportService.GetReport                SSS     SSU     SUU     SSS        SSS     AAA       AAA
reports.ReportService.ExplainFigure            SSS     SSU     SUU     SSS        SSS     AAA       AAA
reports.ReportService.ListRecords              SSS     SSU     SUU     SSS        SSS     AAA       AAA
reports.ReportService.CreateTasks              YYY     YYO     YOO     YYY        YOO     AAA       AAA
reports.ReportService.CreateKpi                Y       Y       D       D          D       A         A
reports.ReportService.GetKpi                   YYY     YYY     YYY     YYY        YYY     AAA       AAA
reports.ReportService.ListKpis                 SSS     SSS     SSS     SSS        SSS     AAA       AAA
reports.ReportService.UpdateKpi                YYY     YDD     DDD     DDD        DDD     AAA       AAA
reports.ReportService.DeleteKpi                YYY     YDD     DDD     DDD        DDD     AAA       AAA
reports.ReportService.UndeleteKpi              YYY     YDD     DDD     DDD        DDD     AAA       AAA
reports.ReportService.ListFacts                Y       Y       Y       Y          Y       A         A
reports.ReportService.CreateBoard              YYY     YDD     YDD     YDD        YDD     AAA       AAA
reports.ReportService.GetBoard                 YYY     YNN     YNN     YNN        YNN     AAA       AAA
reports.ReportService.ListBoards               SSS     SUU     SUU     SUU        SUU     AAA       AAA
reports.ReportService.UpdateBoard              YYY     YNN     YNN     YNN        YNN     AAA       AAA
reports.ReportService.DeleteBoard              YYY     YNN     YNN     YNN        YNN     AAA       AAA
reports.ReportService.UndeleteBoard            YYY     YNN     YNN     YNN        YNN     AAA       AAA
reports.ExportService.ExportReport             YYY     YYO     DDD     DDD        DDD     AAA       AAA
reports.CostService.CreateChannelCost          Y       D       D       Y          Y       A         A
reports.CostService.GetChannelCost             Y       Y       D       Y          Y       A         A
reports.CostService.ListChannelCosts           Y       Y       D       Y          Y       A         A
reports.CostService.UpdateChannelCost          Y       D       D       Y          Y       A         A
reports.CostService.DeleteChannelCost          Y       D       D       D          Y       A         A
reports.CostService.UndeleteChannelCost        Y       D       D       D          Y       A         A
reports.ExportService.CreateExportSchedule     Y       D       D       D          D       A         A
reports.ExportService.GetExportSchedule        Y       Y       D       D          D       A         A
reports.ExportService.ListExportSchedules      Y       Y       D       D          D       A         A
reports.ExportService.UpdateExportSchedule     Y       D       D       D          D       A         A
reports.ExportService.DeleteExportSchedule     Y       D       D       D          D       A         A
reports.ExportService.UndeleteExportSchedule   Y       D       D       D          D       A         A
reports.ExportService.ListExportMails          Y       Y       D       D          D       A         A
reports.ReportService.BacktestReport           Y       Y       Y       Y          Y       A         A
reports.TargetService.CreateTarget             YYY     YYD     DDD     YYY        DDD     AAA       AAA
reports.TargetService.GetTarget                YYY     YYN     YNN     YYY        YYY     AAA       AAA
reports.TargetService.ListTargets              SSS     SSU     SUU     SSS        SSS     AAA       AAA
reports.TargetService.UpdateTarget             YYY     YYN     DDD     YYY        DDD     AAA       AAA
reports.TargetService.DeleteTarget             YYY     YYN     DDD     DDD        DDD     AAA       AAA
reports.TargetService.UndeleteTarget           YYY     YYN     DDD     DDD        DDD     AAA       AAA
reports.AlertService.CreateAlertRule           Y       D       D       D          D       A         A
reports.AlertService.GetAlertRule              Y       Y       D       D          D       A         A
reports.AlertService.ListAlertRules            Y       Y       D       D          D       A         A
reports.AlertService.UpdateAlertRule           Y       D       D       D          D       A         A
reports.AlertService.DeleteAlertRule           Y       D       D       D          D       A         A
reports.AlertService.UndeleteAlertRule         Y       D       D       D          D       A         A
reports.AlertService.ListAlerts                Y       Y       Y       Y          Y       A         A
reports.BlueprintService.GetPart               Y       Y       D       D          D       A         A
reports.BlueprintService.PlanPart              Y       Y       D       D          D       A         A
reports.BlueprintService.ApplyPart             Y       D       D       D          D       A         A
gateway.GatewayService.GetBlueprint            Y     Y       D     D          D       A         A
gateway.GatewayService.ApplyBlueprint          Y     D       D     D          D       A         A
"""

# What the access option of an RPC names where each row has an owner or a team: such an RPC has rows for his own, a team
# mate's and another team's.
OWNED = frozenset(
    {"leads", "imports", "people", "teams", "ledgers", "customers", "contacts", "opportunities", "approvals"}
    | {"contractChanges", "contracts", "instalments", "invoices", "payments", "quotes"}
    | {"changeRequests", "followUps", "interactions", "tasks", "timeline"}
    | {"attachments", "checkIns"}
    | {"boards", "targets"}
)


@dataclass(frozen=True)
class Expected:
    """A line of the table: `cells[caller]` has a letter for each row."""

    rpc: str
    cells: dict[str, str]


def table(text: str = TABLE) -> dict[str, Expected]:
    """The table by RPC. Raises ValueError for a line that is not one."""
    head, *lines = (line.split() for line in text.strip().splitlines())
    if tuple(head) != CALLERS:
        raise ValueError(f"columns must be {CALLERS}")
    found: dict[str, Expected] = {}
    for rpc, *cells in lines:
        if rpc in found or len(cells) != len(CALLERS) or not set("".join(cells)) <= LETTERS:
            raise ValueError(f"{rpc}: once, and a cell of known letters for each of {CALLERS}")
        if len({len(cell) for cell in cells}) > 1:
            raise ValueError(f"{rpc}: every caller has the same rows")
        found[rpc] = Expected(rpc, dict(zip(CALLERS, cells, strict=True)))
    return found
